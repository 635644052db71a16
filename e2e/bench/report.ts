import type { LogRates } from "./log-rates.ts";
import type { Measurement } from "./operations.ts";
import type { Replication } from "./replication.ts";

/** One operation on the backing directory and on the mount. */
export interface Comparison {
  readonly name: string;
  readonly unit: Measurement["unit"];
  readonly backing: number;
  readonly mount: number;
  /** Time on the mount by time on the backing directory: 1 is equal, 2 is twice as slow. */
  readonly ratio: number;
}

/** All that `pnpm bench` measures. */
export interface Report {
  readonly operations: readonly Comparison[];
  readonly log: LogRates;
  readonly replication: Replication;
}

/** Prints the report as tables. */
export function printReport({ operations, log, replication }: Report): void {
  printLine("operation", "backing", "mount", "ratio");
  for (const { name, unit, backing, mount, ratio } of operations) {
    const cells = [`${backing.toFixed(1)} ${unit}`, `${mount.toFixed(1)} ${unit}`];
    printLine(name, ...cells, `${ratio.toFixed(1)} x`);
  }
  console.log();
  printLine("log append (durable)", formatRate(log.append));
  printLine("log decode", formatRate(log.decode));
  printLine("log replay", formatRate(log.replay));
  console.log();
  const { files, firstScanSeconds, replicaSeconds, rsyncSeconds } = replication;
  for (const [name, seconds] of [
    ["first scan", firstScanSeconds],
    [`replica of ${files} files`, replicaSeconds],
    ["rsync -a of the same", rsyncSeconds],
  ] as const) {
    printLine(name, formatRate(files / seconds), `${seconds.toFixed(2)} s`);
  }
  printLine("replica beside rsync", "", "", `${(replicaSeconds / rsyncSeconds).toFixed(1)} x`);
}

function printLine(name: string, ...cells: readonly string[]): void {
  console.log(name.padEnd(26) + cells.map((cell) => cell.padStart(14)).join(""));
}

function formatRate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString("en-US")}/s`;
}
