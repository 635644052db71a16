import { expect, it } from "vitest";

import { NO_RECNO, ROOT_OID, type Oid, type PeerId, type Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { applyOperation } from "../replay/replay.ts";
import { isMassRemoval, removalExtent } from "./mass-removal.ts";

it.each([
  { removed: 19, names: 19, isMass: false },
  { removed: 20, names: 20, isMass: true },
  { removed: 18, names: 20, isMass: false },
  { removed: 900, names: 1000, isMass: false },
  { removed: 901, names: 1000, isMass: true },
  { removed: 0, names: 0, isMass: false },
])("isMassRemoval($removed, $names) is $isMass", ({ removed, names, isMass }) => {
  expect(isMassRemoval({ removed, names })).toBe(isMass);
});

it("isMassRemoval() goes by the share that somebody has set, and by none where that is all", () => {
  expect(isMassRemoval({ removed: 60, names: 100 }, 50)).toBe(true);
  expect(isMassRemoval({ removed: 100, names: 100 }, 100)).toBe(false);
});

const ME = "1".repeat(32) as PeerId;
const OTHER = "2".repeat(32) as PeerId;

const oidOf = (index: number): Oid => index.toString(16).padStart(32, "a") as Oid;
const at = (index: number) => ({
  oid: oidOf(index),
  parent: ROOT_OID,
  name: `file-${index}` as Name,
  path: `/file-${index}`,
});
const creation = (index: number): ClientOperation => ({
  opcode: "CREATE",
  ...at(index),
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  conflict: null,
});
const removal = (index: number): ClientOperation => ({
  opcode: "UNLINK",
  ...at(index),
  nameBase: NO_RECNO,
  contentBase: NO_RECNO,
  isLastName: true,
});
const link = (index: number): ClientOperation => ({ opcode: "LINK", ...at(index), conflict: null });

const FILES = 40;
const all = Array.from({ length: FILES }, (_, index) => index);

/** A tree of files, file N made by record N + 1. */
function stateOf(creatorOf: (index: number) => PeerId): MemoryState {
  const state = new MemoryState();
  for (const index of all)
    applyOperation(creation(index), (index + 1) as Recno, creatorOf(index), state);
  return state;
}

function extentOf(state: MemoryState, operations: ClientOperation[], recentAfter: number | null) {
  const records = operations.map((operation) => ({ operation }));
  const author = { peer: ME, recentAfter: recentAfter as Recno | null };
  const { removed, names } = removalExtent(records, state, author, () => FILES);
  return { removed, names };
}

it.each([
  { description: "what others made", creator: OTHER, recentAfter: 0, removed: 40, names: 40 },
  { description: "what it made long ago", creator: ME, recentAfter: 40, removed: 40, names: 40 },
  {
    description: "what it made when nobody knows",
    creator: ME,
    recentAfter: null,
    removed: 40,
    names: 40,
  },
  {
    description: "what it made lately, in part",
    creator: ME,
    recentAfter: 30,
    removed: 30,
    names: 30,
  },
  { description: "what it made lately", creator: ME, recentAfter: 0, removed: 0, names: 0 },
])(
  "removalExtent() of a peer that removes $description: $removed of $names",
  ({ creator, recentAfter, removed, names }) => {
    const extent = extentOf(
      stateOf(() => creator),
      all.map(removal),
      recentAfter,
    );
    expect(extent).toEqual({ removed, names });
  },
);

it("removalExtent() counts all of others that goes along with much of one's own", () => {
  const state = stateOf((index) => (index < 25 ? OTHER : ME));
  const extent = extentOf(state, all.map(removal), 0);
  expect(extent).toEqual({ removed: 25, names: 25 });
  expect(isMassRemoval(extent)).toBe(true);
});

it("removalExtent() leaves out what stands again, wherever it came from, unless it goes again", () => {
  const state = stateOf(() => OTHER);
  const removed = (operations: ClientOperation[]): number =>
    extentOf(state, operations, null).removed;
  expect(removed([removal(1), removal(2), link(2), removal(3)])).toBe(2);
  expect(removed([link(1), removal(1), removal(2)])).toBe(2);
});

it("removalExtent() does not count what the state does not know", () => {
  expect(extentOf(new MemoryState(), all.map(removal), null).removed).toBe(0);
});
