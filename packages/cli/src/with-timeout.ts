import { IzoError } from "@izo/core";

/** The time that the caller gave is over. */
export class TimedOutError extends IzoError {
  constructor(doing: string, seconds: number) {
    super("timed-out", `Cannot ${doing} within ${seconds} s`, { seconds });
  }
}

/**
 * Runs `work` with a signal that aborts with `signal`, and when `seconds` are over; undefined waits for
 * ever.
 *
 * @throws TimedOutError; what `work` throws
 */
export async function withTimeout<T>(
  doing: string,
  seconds: number | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (seconds === undefined) return work(signal);
  const timeout = AbortSignal.timeout(seconds * 1000);
  try {
    return await work(AbortSignal.any([signal, timeout]));
  } catch (cause) {
    if (timeout.aborted && !signal.aborted) throw new TimedOutError(doing, seconds);
    throw cause;
  }
}
