import { readFileSync } from "node:fs";

/**
 * Tells whether a process of this user runs. One that has ended and that its parent has not asked about, a zombie, does
 * not: in a container whose first process does not reap, it stays for ever. See proc(5), "/proc/pid/stat".
 */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name before it is in parentheses, and may hold some itself.
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
