import { describe, expect, test } from "vitest";

import type { FileSystem, NodeId } from "../file-system.ts";
import { rootNode } from "../file-system.ts";
import { KnownNodes } from "./known-nodes.ts";
import { furtherNumber } from "./node-number.ts";

function counted() {
  const forgotten: NodeId[] = [];
  const fileSystem = { forget: (node: NodeId) => void forgotten.push(node) } as FileSystem;
  return { forgotten, known: new KnownNodes(fileSystem) };
}

describe("KnownNodes", () => {
  test("holds one reference of the file system, however often the kernel was told", () => {
    const { forgotten, known } = counted();
    for (let times = 0; times < 3; times += 1) known.told(5);
    expect(forgotten).toEqual([5, 5]);
    known.forget(5, 2);
    expect(forgotten).toHaveLength(2);
    known.forget(5, 1);
    expect(forgotten).toEqual([5, 5, 5]);
  });

  test("gives nothing back twice, nor the root", () => {
    const { forgotten, known } = counted();
    known.told(5);
    known.forget(5, 1);
    known.forget(5, 1);
    known.told(rootNode);
    known.forget(rootNode, 9);
    expect(forgotten).toEqual([5]);
  });

  test("gives back all when the connection has ended", () => {
    const { forgotten, known } = counted();
    known.told(5);
    known.told(6);
    known.forgetAll();
    expect(forgotten).toEqual([5, 6]);
  });

  test("knows a node under several numbers, with a reference for each", () => {
    const { forgotten, known } = counted();
    const [first, second] = [furtherNumber(5, 1), furtherNumber(5, 2)];
    known.told(5);
    expect(known.spareNumber(5)).toBe(first);
    known.told(first);
    known.told(second);
    known.told(second);
    expect(forgotten).toEqual([5]);
    expect([known.othersOf(5), known.othersOf(first), known.othersOf(6)]).toEqual([
      [first, second],
      [5, second],
      [],
    ]);
    expect(known.forget(5, 1)).toBe(true);
    expect(known.has(5)).toBe(true);
    known.forget(first, 1);
    expect([known.furtherOf(5), known.spareNumber(5)]).toEqual([[second], first]);
    expect([known.forget(second, 1), known.forget(second, 1)]).toEqual([false, true]);
    expect([known.has(5), known.hasFurther]).toEqual([false, false]);
    expect(forgotten).toEqual([5, 5, 5, 5]);
  });
});
