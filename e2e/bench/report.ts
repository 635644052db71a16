import type { ColdRead } from "./cold-read.ts";
import type { Row } from "./compare-operations.ts";
import type { Latency, Quantiles } from "./latency.ts";
import type { LogRates } from "./log-rates.ts";
import type { Machine } from "./machine.ts";
import type { MissingPlace } from "./places.ts";
import type { Replication } from "./replication.ts";
import type { Scale } from "./scale.ts";

/** All that `pnpm bench` measures; what was not asked for is not there. */
export interface Report {
  readonly machine: Machine;
  readonly driver: {
    readonly name: string;
    readonly protocol: string | null;
    readonly hasPassthrough: boolean;
  };
  readonly rounds: number;
  readonly operations?: readonly Row[];
  readonly workloads?: readonly Row[];
  readonly missing: readonly MissingPlace[];
  readonly log?: LogRates;
  readonly replication?: Replication;
  readonly coldRead?: ColdRead;
  readonly latency?: Latency;
  readonly scale?: Scale;
}

/** The report as tables. */
export function formatReport(report: Report): string {
  const { operations, workloads, log, replication, coldRead, latency, scale } = report;
  const lines = describe(report);
  for (const rows of [operations, workloads]) {
    if (rows !== undefined) lines.push("", ...formatRows(rows));
  }
  if (log !== undefined) {
    lines.push("", formatLine("log append (durable)", formatRate(log.append)));
    lines.push(formatLine("log decode", formatRate(log.decode)));
    lines.push(formatLine("log replay", formatRate(log.replay)));
  }
  if (replication !== undefined) lines.push("", ...formatReplication(replication));
  if (coldRead !== undefined) lines.push("", ...formatColdRead(coldRead));
  if (latency !== undefined) lines.push("", ...formatLatency(latency));
  if (scale !== undefined) lines.push("", ...formatScale(scale));
  return lines.join("\n");
}

function formatRows(rows: readonly Row[]): string[] {
  const others = Object.keys(rows[0]?.ratios ?? {}).filter((name) => name !== "izo");
  const lines = [
    formatLine("", "local", "izo", "ratio", "at most", ...others, "requests of the kernel"),
  ];
  for (const { name, unit, times, ratios, atMost, requests } of rows) {
    lines.push(
      formatLine(
        name,
        `${formatTime(times["local"])} ${unit}`,
        `${formatTime(times["izo"])} ${unit}`,
        formatRatio(ratios["izo"]),
        formatRatio(atMost),
        ...others.map((other) => formatRatio(ratios[other])),
        formatRequests(requests),
      ),
    );
  }
  return lines;
}

/** Of which machine and which driver the figures are. */
function describe({ machine, driver, rounds, missing }: Report): string[] {
  const { cpu, cores, memoryGib, kernel, node, load } = machine;
  const passthrough = driver.hasPassthrough ? "with" : "without";
  const busy = load.map((each) => each.toFixed(1)).join(" → ");
  return [
    `${cores} × ${cpu}, ${memoryGib} GiB, Linux ${kernel}, Node ${node}; load ${busy}`,
    `driver ${driver.name} ${driver.protocol ?? ""}, ${passthrough} passthrough; medians of ${rounds} rounds`,
    ...missing.map(({ name, reason }) => `without ${name}: ${reason}`),
  ];
}

/** The ratios alone, as a table for `docs/benchmarks.md`. */
export function formatMarkdown(report: Report): string {
  const { operations = [], workloads = [] } = report;
  const rows = [...operations, ...workloads];
  const places = [...new Set(rows.flatMap(({ ratios }) => Object.keys(ratios)))];
  const cells = ({ name, ratios, atMost, requests }: Row): string[] => [
    name,
    ...places.map((place) => formatFactor(ratios[place])),
    String(atMost),
    formatRequests(requests),
  ];
  return [
    ...describe(report),
    "",
    formatRow(["work", ...places, "aim", "requests of the kernel, each"]),
    formatRow(["---", ...places.map(() => "---"), "---", "---"]),
    ...rows.map((row) => formatRow(cells(row))),
  ].join("\n");
}

/** `1 OPEN, 1 RELEASE`. */
function formatRequests(requests: Readonly<Record<string, number>>): string {
  const asked = Object.entries(requests).filter(([, count]) => count > 0);
  if (asked.length === 0) return "none";
  return asked.map(([name, count]) => `${Number(count.toFixed(2))} ${name}`).join(", ");
}

function formatReplication({
  files,
  firstScanSeconds,
  replicaSeconds,
  rsyncSeconds,
  largeBytes,
  largeReplicaSeconds,
  largeRsyncSeconds,
}: Replication): string[] {
  const large = (name: string, taken: number): string =>
    formatLine(name, `${Math.round(largeBytes / 1e6 / taken)} MB/s`, `${taken.toFixed(2)} s`);
  const rows = [
    ["first scan", firstScanSeconds],
    [`replica of ${files} files`, replicaSeconds],
    ["rsync -a of the same", rsyncSeconds],
  ] as const;
  const ratio = formatRatio(replicaSeconds / rsyncSeconds);
  return [
    ...rows.map(([name, seconds]) =>
      formatLine(name, formatRate(files / seconds), `${seconds.toFixed(2)} s`),
    ),
    formatLine("replica beside rsync", "", "", ratio),
    large(`replica of ${largeBytes / 2 ** 30} GiB`, largeReplicaSeconds),
    large("rsync -a --whole-file of it", largeRsyncSeconds),
    formatLine(
      "throughput beside rsync",
      "",
      "",
      formatRatio(largeRsyncSeconds / largeReplicaSeconds),
    ),
  ];
}

function formatColdRead(coldRead: ColdRead): string[] {
  const { bytes, firstByteMs, readSeconds, wholeSeconds, curlSeconds } = coldRead;
  const line = (name: string, seconds: number): string =>
    formatLine(name, `${Math.round(bytes / 1e6 / seconds)} MB/s`, `${seconds.toFixed(2)} s`);
  return [
    formatLine("cold read, first byte", `${firstByteMs.toFixed(1)} ms`),
    line(`cold read of ${bytes / 2 ** 30} GiB`, readSeconds),
    line("until it is in the cache", wholeSeconds),
    line("curl of the same to a file", curlSeconds),
    formatLine("throughput beside curl", "", "", formatRatio(curlSeconds / readSeconds)),
  ];
}

function formatLatency({ files, toReplica, toOnDemand, toServer, fdatasync }: Latency): string[] {
  const line = (name: string, { p50, p99 }: Quantiles): string =>
    formatLine(name, `${p50.toFixed(1)} ms`, `${p99.toFixed(1)} ms`);
  return [
    formatLine(`of ${formatCount(files)} files`, "p50", "p99"),
    line("close to readable on a replica", toReplica),
    line("close to readable on demand", toOnDemand),
    line("close to the exported directory", toServer),
    line("fdatasync of 256 bytes there", fdatasync),
  ];
}

function formatScale(scale: Scale): string[] {
  const { files, firstScanSeconds, startSeconds, movedFiles, renameMs, records, reindex } = scale;
  return [
    formatLine(`first scan of ${formatCount(files)}`, `${firstScanSeconds.toFixed(2)} s`),
    formatLine(`start of a client on ${formatCount(files)}`, `${startSeconds.toFixed(2)} s`),
    formatLine(`rename of ${formatCount(movedFiles)}, seen`, `${renameMs.toFixed(0)} ms`),
    formatLine(`reindex of ${formatCount(records)} records`, formatRate(reindex)),
  ];
}

function formatLine(name: string, ...cells: readonly string[]): string {
  return (
    name.padEnd(34) +
    cells.map((cell) => (cell.length > 12 ? `   ${cell}` : cell.padStart(12))).join("")
  );
}

function formatTime(time: number | undefined): string {
  return time === undefined ? "" : time.toFixed(1);
}

function formatRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function formatFactor(ratio: number | undefined): string {
  return ratio === undefined ? "" : ratio.toFixed(ratio < 10 ? 1 : 0);
}

function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? "" : `${ratio.toFixed(ratio < 10 ? 2 : 0)} x`;
}

function formatCount(number: number): string {
  return number.toLocaleString("en-US");
}

function formatRate(perSecond: number): string {
  return `${formatCount(Math.round(perSecond))}/s`;
}
