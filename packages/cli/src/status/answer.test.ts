import type { MountStatus } from "@izo/client";
import type { FilesetStatus, PeerId, Recno } from "@izo/core";
import { describe, expect, test } from "vitest";

import { answerOfFileset, answerOfMount } from "./answer.ts";

const NOW_MS = 1_000_000;

const MOUNT = {
  state: "polling",
  isForcedOffline: false,
  sinceMs: NOW_MS - 300_000,
  recno: 41 as Recno,
  headRecno: 41 as Recno,
  lagMs: 0,
  pending: 0,
  pendingBytes: 0,
  heldRemoval: null,
  transfers: [],
} as unknown as MountStatus;

describe("answerOfMount()", () => {
  test.each<{ status: Partial<MountStatus>; isSafe: boolean; sentence: string }>([
    {
      status: {},
      isSafe: true,
      sentence:
        "Safe: the server has every change made here. This mount has all that the server has.",
    },
    {
      status: { mode: "replica", isComplete: false },
      isSafe: true,
      sentence:
        "Safe: the server has every change made here. This mount has all records of the server, and fetches their contents still.",
    },
    {
      status: { mode: "replica", isComplete: true },
      isSafe: true,
      sentence:
        "Safe: the server has every change made here. This mount has all that the server has.",
    },
    {
      status: { recno: 1 as Recno, lagMs: 5000 },
      isSafe: true,
      sentence:
        "Safe: the server has every change made here. This mount is catching up: 40 records behind, 5 s.",
    },
    {
      status: { state: "offline" },
      isSafe: true,
      sentence:
        "Safe: the server has every change made here. It is out of reach since 5 min; what others do is not seen here.",
    },
    {
      status: { state: "offline", pending: 12, pendingBytes: 3 * 1024 * 1024 },
      isSafe: false,
      sentence:
        "Not safe yet: 12 changes (3.0 MiB) are on this machine only: the server is out of reach since 5 min",
    },
    {
      status: { state: "offline", isForcedOffline: true, pending: 1 },
      isSafe: false,
      sentence:
        "Not safe yet: 1 change is on this machine only: it is kept offline (izo online MNT)",
    },
    {
      status: { state: "pushing", pending: 2, pendingBytes: 10 },
      isSafe: false,
      sentence: "Not safe yet: 2 changes (10 B) are on the way to the server",
    },
    {
      status: { state: "refused", pending: 2 },
      isSafe: false,
      sentence: "Not safe yet: 2 changes are on this machine only: the server refuses this mount",
    },
    {
      status: { pending: 2, lastError: { code: "out-of-scope", message: "", advice: "" } },
      isSafe: false,
      sentence:
        "Not safe yet: 2 changes are on this machine only: the server does not take all of it from this mount, see below",
    },
    {
      status: { pending: 950, heldRemoval: { removed: 950, names: 1000 } as never },
      isSafe: false,
      sentence: "Not safe yet: the removal of 950 names waits for your decision: izo held MNT",
    },
  ])("says: $sentence", ({ status, isSafe, sentence }) => {
    expect(answerOfMount({ ...MOUNT, ...status }, NOW_MS)).toEqual({ isSafe, sentence });
  });
});

const peer = (replayedRecno: number) => ({
  peer: "ab".repeat(16) as PeerId,
  host: "laptop",
  receivedRecno: 0 as Recno,
  replayedRecno: replayedRecno as Recno,
  lastSeenMs: 0,
});
const FILESET = {
  headRecno: 41,
  heldRemoval: null,
  problems: [],
  peers: [],
} as unknown as FilesetStatus;

describe("answerOfFileset()", () => {
  test.each<{ status: Partial<FilesetStatus>; isSafe: boolean; sentence: string }>([
    { status: {}, isSafe: true, sentence: "All is well. No peer has been here yet" },
    {
      status: { peers: [peer(41), peer(3)] },
      isSafe: true,
      sentence: "All is well: 1 of 2 peers have everything",
    },
    {
      status: { problems: [{ path: "/a", message: "b" }] },
      isSafe: false,
      sentence: "Not all is well: 1 problem, see below",
    },
    {
      status: { heldRemoval: { removed: 95, objects: 100 } },
      isSafe: false,
      sentence: "Held: 95 of 100 files are gone from the directory; decide with izo held DIR",
    },
  ])("says: $sentence", ({ status, isSafe, sentence }) => {
    expect(answerOfFileset({ ...FILESET, ...status })).toEqual({ isSafe, sentence });
  });
});
