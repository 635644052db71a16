import { cpus, release, totalmem } from "node:os";

/** What figures are worth nothing without. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** What was runnable, on the average of a minute, when it began and when it ended; above the cores it was busy. */
  readonly load: readonly [begin: number, end: number];
}

export function describeMachine(load: Machine["load"]): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    load,
  };
}
