import type { Arrival } from "../cache/arriving/arrival.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { ArrivingContent } from "../fuse/file-system.ts";
import type { ProgramFetches } from "./program-fetches.ts";

/** What one open of an arriving content reads; `signal` ends its waits. */
export function arrivingReads(
  fetches: Pick<ProgramFetches, "whenHere">,
  { oid }: CacheNode,
  arrival: Arrival,
  signal: AbortSignal,
): ArrivingContent {
  return {
    get isSettled() {
      return arrival.isSettled;
    },
    whenHere(offset, length) {
      if (arrival.isWrong) return Promise.reject(wasWrong(arrival));
      const range = { oid, start: offset, end: offset + length };
      if (arrival.has(range.start, range.end)) return undefined;
      return fetches.whenHere(arrival, range, signal);
    },
  };
}

function wasWrong({ sha256 }: Arrival): ErrnoError {
  const message = `Cannot read content ${sha256} on: what came had another hash, and was read before that was known`;
  return new ErrnoError("EIO", message, { sha256 });
}
