import { describe, expect, it } from "vitest";

import type { Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import { creationOf, KIND_OF } from "./creation.ts";
import type { ObjectKind } from "./tree-object.ts";

const KINDS: ObjectKind[] = ["file", "directory", "symlink", "special"];

function made(kind: ObjectKind) {
  return creationOf({
    kind,
    oid: "1a".repeat(16) as Oid,
    parent: "2b".repeat(16) as Oid,
    name: "n" as Name,
    path: "/n",
    mode: 0o640,
    uid: 1,
    gid: 2,
    mtimeNs: 3n,
    target: "there",
    rdev: 5,
    conflict: null,
  });
}

describe("creationOf()", () => {
  it.each(KINDS)("makes what KIND_OF says that its opcode makes: %s", (kind) => {
    expect(KIND_OF[made(kind).opcode]).toBe(kind);
  });

  it("gives a target to symlinks and a device to special files alone", () => {
    expect(KINDS.map((kind) => ["target" in made(kind), "rdev" in made(kind)])).toEqual([
      [false, false],
      [false, false],
      [true, false],
      [false, true],
    ]);
  });
});
