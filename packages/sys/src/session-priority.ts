import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/**
 * The priority of this process's session among all sessions (sched(7), autogroup). Where the kernel gives time to sessions
 * first, nice(1) says only who is served first within one.
 */
export class SessionPriority implements Disposable {
  readonly #path: string;
  readonly #fd: number;

  /** @throws {Error} ENOENT where the kernel does not group by sessions */
  constructor(path = "/proc/self/autogroup") {
    this.#path = path;
    this.#fd = openSync(path, "r+");
  }

  /** As in nice(1): 0 unless somebody has set another. Undefined for a process that belongs to no session's group. */
  get nice(): number | undefined {
    const [, nice] = / nice (-?\d+)$/.exec(readFileSync(this.#path, "latin1").trim()) ?? [];
    return nice === undefined ? undefined : Number(nice);
  }

  /**
   * For all of the session, and beyond the end of this process where others are left in it.
   *
   * @throws {Error} EPERM without the right; EAGAIN where this or another process has set one within 0.1 s, and has no
   *   CAP_SYS_ADMIN
   */
  set(nice: number): void {
    // The kernel refuses a place in this file, and takes each write as a whole.
    writeSync(this.#fd, String(nice));
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** Whether this process's session is its own: none but those that it has started are in it. */
export function leadsSession(stat = readFileSync("/proc/self/stat", "latin1")): boolean {
  // proc_pid_stat(5). The name may hold anything, so that fields count from its end.
  const session = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3];
  return session === String(process.pid);
}
