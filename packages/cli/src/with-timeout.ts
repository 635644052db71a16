import { IzoError } from "@izo/core";

/** The time that the caller gave is over. */
export class TimedOutError extends IzoError {
  /** What can be done, where there is more to say than of any such end. */
  readonly hint: string | undefined;

  constructor(doing: string, seconds: number, hint?: string) {
    super("timed-out", `Cannot ${doing} within ${seconds} s`, { seconds });
    this.hint = hint;
  }
}

/**
 * Runs `work` with a signal that aborts with `signal`, and when `seconds` are over; undefined waits for
 * ever.
 *
 * @param hintOf is asked for the error's hint when the time is over
 *
 * @throws TimedOutError; what `work` throws
 */
export async function withTimeout<T>(
  doing: string,
  seconds: number | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  hintOf?: () => Promise<string>,
): Promise<T> {
  if (seconds === undefined) return work(signal);
  const timeout = AbortSignal.timeout(seconds * 1000);
  try {
    return await work(AbortSignal.any([signal, timeout]));
  } catch (cause) {
    if (timeout.aborted && !signal.aborted)
      throw new TimedOutError(doing, seconds, await hintOf?.());
    throw cause;
  }
}
