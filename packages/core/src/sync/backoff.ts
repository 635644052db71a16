/** The first wait is at most this long: a server that restarts is found again at once. */
const FIRST_MS = 200;

/** No wait is longer than this: a client finds a server that is back within half a minute. */
export const MAX_RETRY_DELAY_MS = 30_000;

/**
 * How long to wait before the next attempt (design P4): doubled with each failure, bounded, and at
 * random between half of it and all of it, so that clients that lost one server do not come back as
 * one.
 *
 * @param failures attempts that failed since the last success, from 1
 * @param random a number from 0 to 1, below 1
 */
export function retryDelayMs(failures: number, random: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 16);
  const delayMs = Math.min(FIRST_MS * 2 ** doublings, MAX_RETRY_DELAY_MS);
  return Math.round(delayMs * (0.5 + 0.5 * random));
}
