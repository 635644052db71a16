import type { PeerId, Recno, SegmentInfo } from "@izo/core";
import { expect, test } from "vitest";

import { planTruncation, type TruncationFacts, type TruncationLimits } from "./plan-truncation.ts";

const HOUR_MS = 3_600_000;
const LAPTOP = "a".repeat(32) as PeerId;
const DESKTOP = "b".repeat(32) as PeerId;

/** Four segments of ten records and 100 bytes, 40 to 10 hours old; the last one is written to. */
const SEGMENTS: readonly SegmentInfo[] = [1, 11, 21, 31].map((first) => ({
  first: first as Recno,
  last: (first + 9) as Recno,
  sizeBytes: 100,
  isSealed: first < 31,
}));

const FACTS: TruncationFacts = {
  segments: SEGMENTS,
  ageMsOf: ({ last }) => (50 - last) * HOUR_MS,
  waiting: [],
  snapshots: [],
};

const NOTHING_KEPT: TruncationLimits = { keepMs: 0, keepBytes: 0, maxBytes: 1000, before: null };

const waitingAt = (peer: PeerId, replayedRecno: number) => ({
  peer,
  replayedRecno: replayedRecno as Recno,
});

test.each<{
  description: string;
  facts?: Partial<TruncationFacts>;
  limits?: Partial<TruncationLimits>;
  oldest: number;
  heldBy?: PeerId;
}>([
  { description: "all but the segment that is written to, where nothing is kept", oldest: 31 },
  { description: "what is older than the age", limits: { keepMs: 25 * HOUR_MS }, oldest: 21 },
  { description: "what lies outside of the size", limits: { keepBytes: 250 }, oldest: 11 },
  {
    description: "only what is both older than the age and outside of the size",
    limits: { keepMs: 25 * HOUR_MS, keepBytes: 350 },
    oldest: 1,
  },
  {
    description: "only segments that end before a record",
    limits: { before: 20 as Recno },
    oldest: 11,
  },
  {
    description: "what every peer has replayed, and names the first that lacks more",
    facts: { waiting: [waitingAt(DESKTOP, 40), waitingAt(LAPTOP, 19)] },
    oldest: 11,
    heldBy: LAPTOP,
  },
  {
    description: "a segment whose last record a peer has just replayed",
    facts: { waiting: [waitingAt(LAPTOP, 20)] },
    oldest: 21,
    heldBy: LAPTOP,
  },
  {
    description: "what peers lack and the age would keep, beyond the largest size",
    facts: { waiting: [waitingAt(LAPTOP, 0)] },
    limits: { keepMs: 1000 * HOUR_MS, maxBytes: 250 },
    oldest: 21,
  },
  {
    description: "nothing behind a snapshot that is being sent, not even beyond the largest size",
    facts: { snapshots: [25 as Recno, 12 as Recno] },
    limits: { maxBytes: 0 },
    oldest: 11,
  },
])("planTruncation() removes $description", ({ facts, limits, oldest, heldBy = null }) => {
  const plan = planTruncation({ ...FACTS, ...facts }, { ...NOTHING_KEPT, ...limits });
  const removed = SEGMENTS.filter(({ last }) => last < oldest).length;
  expect(plan).toEqual({ oldestRecno: oldest, removedBytes: removed * 100, heldBy });
});
