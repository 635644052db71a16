import { describe, expect, test } from "vitest";

import {
  EMPTY_SHA256,
  NO_RECNO,
  type Oid,
  type PeerId,
  type Recno,
  ROOT_OID,
} from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { OverlayState } from "../replay/overlay-state.ts";
import type { MutableState } from "../replay/state.ts";
import type { TreeObject, Version } from "../replay/tree-object.ts";
import { forgottenObjects } from "./forgotten-objects.ts";

const PEER = "a".repeat(32) as PeerId;
const [FILE, OTHER] = ["1", "2"].map((digit) => digit.repeat(32) as Oid) as [Oid, Oid];

function fileOf(oid: Oid, version: Version): TreeObject {
  return {
    oid,
    kind: "file",
    creator: PEER,
    mode: 0o644,
    uid: 0,
    gid: 0,
    attributesVersion: version,
    sizeBytes: 0,
    mtimeNs: 1n,
    sha256: EMPTY_SHA256,
    contentVersion: version,
    target: "",
    rdev: 0,
    xattrs: new Map([["user.a", { value: new Uint8Array([1]), version }]]),
    conflict: null,
  };
}

function put(state: MutableState, oid: Oid, version: Version): void {
  state.putObject(fileOf(oid, version), 4 as Recno);
  const entry = { parent: ROOT_OID, name: `name of ${oid}` as Name, oid, version };
  state.putEntry(entry, 4 as Recno);
}

const tombstonesOf = (before: MemoryState | OverlayState, after: MemoryState) => [
  ...forgottenObjects(before, after, [ROOT_OID, FILE, OTHER], 8 as Recno),
];

describe("forgottenObjects()", () => {
  test("gives what was known before and is named nowhere afterwards, at its last place", () => {
    const before = new MemoryState();
    put(before, FILE, 4 as Recno);
    put(before, OTHER, 4 as Recno);
    const after = new MemoryState();
    put(after, OTHER, 9 as Recno);
    const object = fileOf(FILE, 4 as Recno);
    expect(tombstonesOf(before, after)).toEqual([
      { object, parent: ROOT_OID, name: `name of ${FILE}`, removedAt: 8 },
    ]);
  });

  test("leaves alone what the snapshot has as removed, or as merged into another", () => {
    const before = new MemoryState();
    put(before, FILE, 4 as Recno);
    put(before, OTHER, 4 as Recno);
    const after = new MemoryState();
    const object = fileOf(FILE, 4 as Recno);
    after.putTombstone({ object, parent: ROOT_OID, name: "old" as Name, removedAt: 9 as Recno });
    after.putAlias(OTHER, ROOT_OID);
    expect(tombstonesOf(before, after)).toEqual([]);
  });

  test("names no version of an own record, which the server's tree does not know", () => {
    const before = new OverlayState(new MemoryState());
    put(before, FILE, { peer: PEER, recno: 7 as Recno });
    const [tombstone] = tombstonesOf(before, new MemoryState());
    expect(tombstone!.object).toEqual(fileOf(FILE, NO_RECNO));
  });
});
