import { readFileSync } from "node:fs";

/**
 * The supplementary groups of a caller, from /proc, as the FUSE protocol carries only uid and gid.
 *
 * The caller waits in the very system call that is being answered, so it cannot be gone or have
 * changed, unless it was killed; a process that cannot be seen from here has none.
 */
export function readCallerGroups(pid: number): number[] {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "latin1");
  } catch {
    return [];
  }
  const line = /^Groups:[ \t]*(.*)$/m.exec(status)?.[1] ?? "";
  return line.split(/\s+/).filter(Boolean).map(Number);
}
