import { expect, it } from "vitest";

import type { Recno } from "../kml/identity.ts";
import { RecentWork } from "./recent-work.ts";

const MINUTE = 60_000;

function noted(...places: [minute: number, recno: number][]): RecentWork {
  const work = new RecentWork();
  for (const [minute, recno] of places) work.note(minute * MINUTE, recno as Recno);
  return work;
}

it("RecentWork.since() is where the log stood at the first note of the last hour", () => {
  const work = noted([0, 10], [30, 20], [70, 30]);
  expect(work.since(70 * MINUTE)).toBe(20);
  expect(work.since(91 * MINUTE)).toBe(30);
  expect(work.since(131 * MINUTE)).toBeNull();
});

it("RecentWork.since() knows nothing before the first note", () => {
  expect(new RecentWork().since(0)).toBeNull();
});

it("RecentWork.note() keeps one place a minute, the first of it", () => {
  const work = noted([0, 10], [0.5, 20]);
  expect(work.since(MINUTE)).toBe(10);
});

it("RecentWork.note() forgets all when the clock or the log goes back", () => {
  expect(noted([50, 10], [20, 20]).since(51 * MINUTE)).toBe(20);
  expect(noted([0, 10], [20, 5]).since(21 * MINUTE)).toBe(5);
});
