import { readFileSync } from "node:fs";

/** Memory of a process that is its own, in MiB. */
export function memoryMib(pid: number): number {
  const [, kib] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}
