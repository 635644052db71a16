import { constants } from "node:os";

/** A request that waits for something, content from the network above all. */
interface Pending {
  isInterrupted: boolean;
}

/**
 * The requests that are not answered yet, so that INTERRUPT finds them: who waits for content can be
 * killed, or stopped with Ctrl-C. The work goes on, and what comes of it is cleaned up when it is done.
 */
export class PendingRequests {
  readonly #pending = new Map<string, Pending>();

  /** Adds a request, before its work is waited for. */
  add(low: number, high: number): { readonly isInterrupted: boolean } {
    const pending: Pending = { isInterrupted: false };
    this.#pending.set(keyOf(low, high), pending);
    return pending;
  }

  remove(low: number, high: number): void {
    this.#pending.delete(keyOf(low, high));
  }

  /** Whether the request still waited: it is to be answered with {@link INTERRUPTED}, and only once. */
  interrupt(low: number, high: number): boolean {
    const pending = this.#pending.get(keyOf(low, high));
    if (pending === undefined || pending.isInterrupted) return false;
    pending.isInterrupted = true;
    return true;
  }
}

export const INTERRUPTED = -constants.errno.EINTR;

function keyOf(low: number, high: number): string {
  return `${high}:${low}`;
}
