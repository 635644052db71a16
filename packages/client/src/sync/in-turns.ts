import { setImmediate as yieldToRequests } from "node:timers/promises";

import type { InPieces } from "@izo/core";

/** After so long, programs get a turn: whoever asked meanwhile is answered. */
const TURN_MS = 4;

/** Does work that may be long, and leaves the event loop to others between its pieces. @throws the signal's reason */
export async function inTurns<T>(work: InPieces<T>, signal: AbortSignal): Promise<T> {
  let startMs = performance.now();
  try {
    for (;;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (performance.now() - startMs < TURN_MS) continue;
      // oxlint-disable-next-line no-await-in-loop -- that is the point
      await yieldToRequests();
      signal.throwIfAborted();
      startMs = performance.now();
    }
  } finally {
    // What was begun is not gone on with.
    work.return(undefined as never);
  }
}
