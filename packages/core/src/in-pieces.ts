/**
 * Work that may be long: whoever runs it can do something else at each step. What it reads may be another
 * thing then, and it says for itself what it makes of that.
 */
export type InPieces<T> = Generator<void, T, void>;

/** Steps between two pauses: some tens of microseconds. */
const STEPS = 64;

/** Does the work without a pause. */
export function allAtOnce<T>(work: InPieces<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Calls `visit` for each, with pauses. */
export function* eachInPieces<T>(items: Iterable<T>, visit: (item: T) => void): InPieces<void> {
  let steps = 0;
  for (const item of items) {
    visit(item);
    steps += 1;
    if (steps % STEPS === 0) yield;
  }
}
