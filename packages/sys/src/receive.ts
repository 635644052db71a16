import { checkResult, ERRNO } from "./check-result.ts";
import { native } from "./native/load.ts";

/** How long {@link receive} may block its thread. */
export interface ReceiveTimes {
  /** Until something comes. */
  readonly waitMs: number;
  /** Between what came and what fits beside it. */
  readonly pauseMs: number;
}

/**
 * Fills a buffer from a connected socket, recv(2), for as long as more comes without a pause. It blocks the thread: for one
 * that does nothing else, and for a socket that nobody else reads.
 *
 * @returns how many bytes came; 0 at the end of the stream, undefined when nothing came in time.
 * @throws {SysError} ECONNRESET and others of recv(2).
 */
export function receive(
  fd: number,
  buffer: Uint8Array,
  { waitMs, pauseMs }: ReceiveTimes,
): number | undefined {
  const received = native().receive(fd, buffer, waitMs, pauseMs);
  return received === ERRNO.EAGAIN ? undefined : checkResult(received, "recv");
}
