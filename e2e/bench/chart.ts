import type { Row } from "./compare-operations.ts";

const WIDTH = 860;
const LABELS = 250;
const BAR = 14;
const GAP = 10;
const TOP = 50;

const COLOURS: Readonly<Record<string, string>> = {
  izo: "#2f6fab",
  sshfs: "#c58b2a",
  rclone: "#8a8a8a",
};

/** How many times longer than in the local directory each work takes, on a logarithmic scale, as SVG. */
export function drawChart(rows: readonly Row[]): string {
  const places = [...new Set(rows.flatMap(({ ratios }) => Object.keys(ratios)))];
  const most = Math.max(10, ...rows.flatMap(({ ratios }) => Object.values(ratios)));
  const x = (ratio: number): number =>
    LABELS +
    (Math.log10(Math.max(ratio, 0.5) / 0.5) / Math.log10(most / 0.5)) * (WIDTH - LABELS - 60);
  const parts: string[] = [];
  let y = TOP;
  for (const { name, atMost, ratios } of rows) {
    const start = y;
    parts.push(text(LABELS - 10, y + BAR - 3, name, "end"));
    for (const place of places) {
      const ratio = ratios[place];
      if (ratio === undefined) continue;
      const width = (x(ratio) - LABELS).toFixed(1);
      parts.push(
        `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" fill="${COLOURS[place] ?? "#555"}"/>`,
        text(x(ratio) + 5, y + BAR - 3, `${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`, "start"),
      );
      y += BAR + 2;
    }
    parts.push(line(x(atMost), start - 2, y, "#b03030"));
    y += GAP;
  }
  const legend = places.map((place, index) => {
    const at = LABELS + index * 90;
    const colour = COLOURS[place] ?? "#555";
    return `<rect x="${at}" y="24" width="${BAR}" height="${BAR}" fill="${colour}"/>${text(at + 20, 35, place, "start")}`;
  });
  const title = text(LABELS, 14, "time, in times of the local directory; red: the aim", "start");
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="12">`;
  const paper = `<rect width="${WIDTH}" height="${y}" fill="white"/>`;
  return [
    head,
    paper,
    title,
    ...legend,
    line(x(1), TOP - 4, y - GAP, "#999"),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number, y: number, content: string, anchor: "start" | "end"): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}

function line(x: number, from: number, to: number, colour: string): string {
  const at = x.toFixed(1);
  return `<line x1="${at}" y1="${from}" x2="${at}" y2="${to}" stroke="${colour}"/>`;
}
