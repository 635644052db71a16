import { isToldToStop } from "../caller-signals.ts";
import { OPCODE } from "./protocol.ts";

/** What a local disk does to its end whoever is signalled: it is soon done, and nobody asks whether it was. */
const UNINTERRUPTIBLE: ReadonlySet<number> = new Set([
  OPCODE.WRITE,
  OPCODE.FALLOCATE,
  OPCODE.FSYNC,
  OPCODE.FSYNCDIR,
]);

/** A signal that ends nothing is said once; one that comes later is looked for so often. */
const LOOK_AGAIN_MS = 100;

interface Request {
  readonly opcode: number;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
  /** The thread that asks. */
  readonly thread: number;
}

interface Pending extends Request {
  /** The kernel has said that there was a signal. */
  isSignalled: boolean;
  isInterrupted: boolean;
}

/**
 * The requests that are not answered yet, so that INTERRUPT finds them: who waits for content can be
 * killed, or stopped with Ctrl-C. The work goes on, and what comes of it is cleaned up when it is done.
 */
export class PendingRequests implements Disposable {
  readonly #pending = new Map<string, Pending>();
  readonly #onInterrupted: (low: number, high: number) => void;
  readonly #isToldToStop: (thread: number) => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param onInterrupted has to answer a request that still waited; called once for it */
  constructor(onInterrupted: (low: number, high: number) => void, isTold = isToldToStop) {
    this.#onInterrupted = onInterrupted;
    this.#isToldToStop = isTold;
  }

  /** Adds a request, before its work is waited for. */
  add(request: Request): { readonly isInterrupted: boolean } {
    const pending: Pending = { ...request, isSignalled: false, isInterrupted: false };
    this.#pending.set(keyOf(request.uniqueLow, request.uniqueHigh), pending);
    return pending;
  }

  remove({ uniqueLow, uniqueHigh }: Request): void {
    this.#pending.delete(keyOf(uniqueLow, uniqueHigh));
  }

  /** The thread that waits for this has got a signal. The kernel does not say so again of the next one. */
  interrupt(low: number, high: number): void {
    const pending = this.#pending.get(keyOf(low, high));
    if (pending === undefined || UNINTERRUPTIBLE.has(pending.opcode)) return;
    pending.isSignalled = true;
    this.#lookAtSignals();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #lookAtSignals(): void {
    clearTimeout(this.#timer);
    let isLookedAtAgain = false;
    for (const pending of this.#pending.values()) {
      if (!pending.isSignalled || pending.isInterrupted) continue;
      pending.isInterrupted = this.#isToldToStop(pending.thread);
      if (pending.isInterrupted) this.#onInterrupted(pending.uniqueLow, pending.uniqueHigh);
      else isLookedAtAgain = true;
    }
    if (isLookedAtAgain) this.#timer = setTimeout(() => this.#lookAtSignals(), LOOK_AGAIN_MS);
  }
}

function keyOf(low: number, high: number): string {
  return `${high}:${low}`;
}
