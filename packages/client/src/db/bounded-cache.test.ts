import { expect, test } from "vitest";

import { BoundedCache } from "./bounded-cache.ts";

test("BoundedCache keeps what was asked for lately, and no more than it may", () => {
  const cache = new BoundedCache<number, number | null>(4);
  const reads: number[] = [];
  const get = (key: number): number | null =>
    cache.get(key, () => {
      reads.push(key);
      return key === 0 ? null : key * 10;
    });
  expect([0, 1, 0, 1].map(get)).toEqual([null, 10, null, 10]);
  expect(reads).toEqual([0, 1]);
  // Asked for again and again, one stays however many come.
  for (let key = 2; key < 100; key += 1) {
    get(key);
    get(0);
  }
  expect(reads.filter((key) => key === 0)).toEqual([0]);
  expect(get(1)).toBe(10);
  expect(reads.at(-1)).toBe(1);
});

test("BoundedCache forgets what it is told to", () => {
  const cache = new BoundedCache<string, string>(4);
  for (const key of ["a", "b", "c"]) cache.put(key, "old");
  cache.drop("a");
  cache.drop("c");
  const read = (key: string): string => cache.get(key, () => "new");
  expect(["a", "b", "c"].map(read)).toEqual(["new", "old", "new"]);
  cache.clear();
  expect(read("b")).toBe("new");
});

test("BoundedCache knows whether it had to let anything go, and peeks without reading", () => {
  const cache = new BoundedCache<number, number>(4);
  for (let key = 0; key < 4; key += 1) cache.put(key, key);
  expect(cache.hasAll).toBe(true);
  expect([0, 3, 4].map((key) => cache.peek(key))).toEqual([0, 3, undefined]);
  cache.put(3, 30);
  expect([...cache.values()]).toEqual([0, 1, 2, 30]);
  cache.put(4, 4);
  expect(cache.hasAll).toBe(false);
  cache.clear();
  expect(cache.hasAll).toBe(true);
});
