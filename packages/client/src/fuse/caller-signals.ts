import { readFileSync } from "node:fs";
import { constants } from "node:os";

const { signals } = constants;

/** By which a program is told to stop, also where it has a handler for them: it will look at what its call says. */
const STOPPING = maskOf([signals.SIGHUP, signals.SIGINT, signals.SIGQUIT, signals.SIGTERM]);

/** What ends no program that has no handler for them: signal(7). */
const HARMLESS = maskOf([
  signals.SIGCHLD,
  signals.SIGCONT,
  signals.SIGSTOP,
  signals.SIGTSTP,
  signals.SIGTTIN,
  signals.SIGTTOU,
  signals.SIGURG,
  signals.SIGWINCH,
]);

/**
 * Whether a thread that waits in a system call has been sent a signal that ends it, or tells it to stop.
 *
 * The kernel says that there is a signal, and not which: a timer that goes off, a child that has ended, a stop by
 * the terminal, a debugger that looks. On a local disk none of these ends a call, and programs do not count on it. A
 * thread that cannot be seen from here counts as told, so that it can always be killed.
 */
export function isToldToStop(thread: number, read = readStatus): boolean {
  const status = read(thread);
  if (status === undefined) return true;
  const mask = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  const pending = (mask("SigPnd") | mask("ShdPnd")) & ~mask("SigBlk") & ~mask("SigIgn");
  return (pending & (STOPPING | ~(mask("SigCgt") | HARMLESS))) !== 0n;
}

/** As proc(5) has it; undefined for a thread that cannot be seen from here. */
function readStatus(thread: number): string | undefined {
  try {
    return readFileSync(`/proc/${thread}/status`, "latin1");
  } catch {
    return undefined;
  }
}

function maskOf(numbers: readonly number[]): bigint {
  return numbers.reduce((mask, number) => mask | (1n << BigInt(number - 1)), 0n);
}
