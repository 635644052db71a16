/**
 * Keeps the buffers through which contents pass from costing more than the contents.
 *
 * Node gives every piece that it reads from a socket, or that somebody reads from a file, a buffer outside of
 * V8's heap. V8 counts them, and for every 32 MiB or so begins a full collection of the heap, although they
 * have long been dead: of a mount that was fetching a large file that took half of all processor time, and of
 * the server that sent it as much. A collection of young objects frees them too, in a fraction of a
 * millisecond; left to itself V8 does that only when the heap has grown, which it hardly does meanwhile.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Well below what starts a full collection, also where the thread that gives the memory back is slow to get a
 * processor: with 8 MiB there were up to 12 full ones in 256 MiB on a busy machine, with 4 MiB none.
 */
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

type Collect = (options: { type: "minor" }) => void;

let collect: Collect | undefined;
let passedBytes = 0;

/** So many bytes have come in buffers that are used once, and those before them were used. */
export function notePassed(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < COLLECT_EVERY_BYTES) return;
  passedBytes = 0;
  collect ??= findCollect();
  collect({ type: "minor" });
}

/** The function that `node --expose-gc` gives, without giving it to everybody. */
function findCollect(): Collect {
  setFlagsFromString("--expose-gc");
  const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  setFlagsFromString("--no-expose-gc");
  return typeof found === "function" ? (found as Collect) : () => {};
}
