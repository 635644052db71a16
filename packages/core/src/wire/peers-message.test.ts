import { expect, test } from "vitest";

import type { PeerId, Recno } from "../kml/identity.ts";
import { parsePeersResponse, type PeerStanding, writePeersResponse } from "./peers-message.ts";
import { WireFormatError } from "./wire-format-error.ts";

const STANDING: PeerStanding = {
  peer: "a".repeat(32) as PeerId,
  host: "laptop",
  state: "cut-off",
  lastSeenMs: 1_700_000_000_000,
  replayedRecno: 7 as Recno,
  lagRecords: 93,
  lagMs: null,
  receivedRecno: 12 as Recno,
  unseenOutcomes: 3,
  isKeptFor: false,
};

test("parsePeersResponse() reads what writePeersResponse() wrote", () => {
  const behind: PeerStanding = { ...STANDING, state: "behind", lagMs: 1500, isKeptFor: true };
  const peers = [STANDING, behind];
  expect(parsePeersResponse(writePeersResponse(peers))).toEqual(peers);
});

test.each([
  ["a state that is none", { ...STANDING, state: "asleep" }],
  ["a flag that is a text", { ...STANDING, isKeptFor: "yes" }],
  ["a lag below zero", { ...STANDING, lagRecords: -1 }],
])("parsePeersResponse() refuses %s", (_what, peer) => {
  expect(() => parsePeersResponse(JSON.stringify({ peers: [peer] }))).toThrow(WireFormatError);
});
