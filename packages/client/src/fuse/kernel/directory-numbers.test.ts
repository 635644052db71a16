import { parseName } from "@izo/core";
import { describe, expect, test } from "vitest";

import type { FileSystem } from "../file-system.ts";
import { DirectoryNumbers } from "./directory-numbers.ts";
import { KnownNodes } from "./known-nodes.ts";
import { furtherNumber, nodeOf } from "./node-number.ts";

const [A, B, C, X, Y] = [2, 3, 4, 5, 6] as const;
const [name, other] = [parseName("x"), parseName("other")];
const [THREAD, ANOTHER] = [100, 101];

/** The kernel has met X in A, and the three directories in the root. */
function numbered() {
  const clock = { nowMs: 0 };
  const fileSystem = { forget: () => {} } as unknown as FileSystem;
  const known = new KnownNodes(fileSystem);
  const further: [number, string][] = [];
  const numbers = new DirectoryNumbers({
    known,
    nowMs: () => clock.nowMs,
    onFurther: (parent, at) => further.push([parent, at]),
  });
  const lookUp = (parent: number, thread = THREAD, node: number = X, at = name): number => {
    const number = numbers.answer(parent, at, node, thread);
    known.told(number);
    return number;
  };
  for (const node of [A, B, C]) lookUp(1, THREAD, node);
  lookUp(A);
  return { clock, known, numbers, further, lookUp };
}

describe("[C7] DirectoryNumbers", () => {
  test("gives a directory its own number where the kernel has it, under any name", () => {
    const { lookUp, further } = numbered();
    expect([lookUp(A), lookUp(A), lookUp(A, THREAD, X, other)]).toEqual([X, X, X]);
    expect(further).toEqual([]);
  });

  test("gives another one to the thread that comes back, for the kernel could not move its entry", () => {
    const { lookUp, further } = numbered();
    expect(lookUp(B)).toBe(X);
    expect(lookUp(B)).toBe(furtherNumber(X, 1));
    expect(further).toEqual([[B, name]]);
    // And the own one to who asks when that entry was taken back.
    expect(lookUp(B)).toBe(X);
  });

  test("takes nobody for one who comes back but who has asked himself, and lately", () => {
    const { lookUp, clock } = numbered();
    expect([lookUp(B), lookUp(B, ANOTHER)]).toEqual([X, X]);
    clock.nowMs += 1_000;
    expect(lookUp(B)).toBe(X);
    expect([lookUp(A), lookUp(B, THREAD, X, other)]).toEqual([X, X]);
  });

  test("is not sure of a directory of which a look-up has failed, and one after it perhaps not", () => {
    const { lookUp, clock } = numbered();
    lookUp(B);
    lookUp(B);
    // Now the kernel may have its entry in B, or still in A.
    expect(lookUp(B)).toBe(X);
    clock.nowMs += 1_000;
    expect([lookUp(A), lookUp(A)]).toEqual([X, furtherNumber(X, 2)]);
    clock.nowMs += 1_000;
    expect(lookUp(A)).toBe(X);
    clock.nowMs += 1_000;
    expect([lookUp(A), lookUp(A)]).toEqual([X, X]);
  });

  test("lets each of several threads fail once", () => {
    const { lookUp } = numbered();
    expect([lookUp(B), lookUp(B, ANOTHER)]).toEqual([X, X]);
    const [first, second] = [lookUp(B), lookUp(B, ANOTHER)];
    expect([nodeOf(first), nodeOf(second)]).toEqual([X, X]);
    expect(first).toBe(second);
    expect(first).not.toBe(X);
  });

  test("gives a call that is tried again a number of its own for every directory that the kernel has elsewhere", () => {
    const { lookUp, numbers } = numbered();
    lookUp(A, THREAD, Y, other);
    lookUp(B);
    lookUp(B);
    expect(lookUp(C, THREAD, Y, other)).toBe(furtherNumber(Y, 1));
    expect(lookUp(B, ANOTHER, Y, other)).toBe(Y);
    // The rename that it was for is done.
    numbers.moved(X, B, C, THREAD);
    lookUp(A, ANOTHER, Y, other);
    expect(lookUp(C, THREAD, Y, other)).toBe(Y);
  });

  test("gives another one at once where the kernel would find a directory in itself", () => {
    const { lookUp } = numbered();
    lookUp(X, THREAD, Y);
    expect(lookUp(Y, ANOTHER, X)).toBe(furtherNumber(X, 1));
  });

  test("knows where programs have moved what, and of which number", () => {
    const { lookUp, numbers } = numbered();
    expect(numbers.moved(X, A, B, THREAD)).toBe(X);
    expect([lookUp(B), lookUp(B)]).toEqual([X, X]);
    lookUp(A);
    const further = lookUp(A);
    expect(numbers.moved(X, A, C, THREAD)).toBe(further);
    expect(numbers.moved(X, C, C, THREAD)).toBe(further);
    expect(numbers.moved(Y, A, C, THREAD)).toBeUndefined();
  });

  test("starts anew with what the kernel has forgotten", () => {
    const { lookUp, numbers, known } = numbered();
    lookUp(B);
    known.forget(X, 2);
    numbers.forgotten(X);
    expect([lookUp(C), lookUp(C)]).toEqual([X, X]);
  });

  test("remembers no more than it says of directories that are on their way", () => {
    const { lookUp, clock } = numbered();
    for (let node = 1_000; node < 4_000; node += 1) {
      lookUp(A, THREAD, node);
      expect(lookUp(B, THREAD, node)).toBe(node);
      clock.nowMs += 1;
    }
  });
});
