import { printable } from "./printable.ts";

/** A column of a table: its title, and on which side its cells stand. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

const GAP = "  ";

/**
 * Lays out rows under titles, each column as wide as its widest cell; the last one is not padded, so
 * that lines do not end in spaces. Names from other machines may be in cells as they are.
 *
 * @example
 * formatTable([{ title: "peer" }, { title: "records", align: "right" }], [["a3f0", "41"]]);
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((cells) => cells.map(printable))];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((cells) => displayWidth(cells[index] ?? ""))),
  );
  return lines
    .map((cells) => {
      const padded = columns.map(({ align }, index) =>
        pad(cells[index] ?? "", widths[index] ?? 0, align ?? "left"),
      );
      return padded.join(GAP).trimEnd();
    })
    .join("\n");
}

/** Lays out names and values in two columns: the form of a single object. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}${GAP}${value}`.trimEnd()).join("\n");
}

function pad(cell: string, width: number, align: "left" | "right"): string {
  const spaces = " ".repeat(Math.max(0, width - displayWidth(cell)));
  return align === "right" ? spaces + cell : cell + spaces;
}

const segmenter = new Intl.Segmenter();

/** Characters as a person counts them, so that "é" written as two code points is one column. */
function displayWidth(text: string): number {
  let width = 0;
  for (const _ of segmenter.segment(text)) width += 1;
  return width;
}
