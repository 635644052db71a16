/** What is to be called when a signal aborts; one listener of it stands for all. */
const callbacks = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Has `callback` called when the signal aborts. For signals that outlive those who wait on them, of whom
 * there may be thousands: `removeEventListener` walks through all of them, and `AbortSignal.any` costs some
 * 10 KB for each.
 *
 * @returns what takes it back
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let known = callbacks.get(signal);
  if (known === undefined) {
    const all = new Set<() => void>();
    known = all;
    callbacks.set(signal, all);
    signal.addEventListener("abort", () => all.forEach((call) => call()), { once: true });
  }
  known.add(callback);
  return () => void known.delete(callback);
}
