import { describe, expect, test } from "vitest";

import type { Oid, Recno, Sha256 } from "../kml/identity.ts";
import { InvalidNameError, type Name } from "../kml/name.ts";
import { rootObject } from "../replay/memory-state.ts";
import type { TreeObject } from "../replay/tree-object.ts";
import { parseListing, writeListing } from "./listing-message.ts";
import { WireFormatError } from "./wire-format-error.ts";

const file: TreeObject = {
  ...rootObject(),
  oid: "1".repeat(32) as Oid,
  kind: "file",
  mode: 0o640,
  sizeBytes: 7,
  mtimeNs: -5n,
  sha256: "2".repeat(64) as Sha256,
  xattrs: new Map([["user.x", { value: Uint8Array.of(0, 255), version: 3 as Recno }]]),
};

function listingOf(name: string): string {
  const entry = {
    parent: rootObject().oid,
    name: name as Name,
    oid: file.oid,
    version: 3 as Recno,
  };
  const children = [{ entry, object: file }];
  return writeListing({ path: "/", at: 4 as Recno, object: rootObject(), children });
}

describe("parseListing()", () => {
  test("gives back what writeListing() was given, names that are no UTF-8 among it", () => {
    const listing = parseListing(listingOf("a\udcff"));
    expect(listing).toMatchObject({ path: "/", at: 4, kind: "directory" });
    const { oid, mode, sizeBytes, mtimeNs, sha256 } = file;
    expect(listing.entries).toMatchObject([
      { name: "a\udcff", kind: "file", oid, mode, sizeBytes, mtimeNs, sha256 },
    ]);
    expect(listing.entries[0]!.xattrs).toEqual(new Map([["user.x", Uint8Array.of(0, 255)]]));
  });

  test.each(["..", ".", "", "a/b", "a\0b"])(
    "refuses the name %j, which would lead a restore elsewhere",
    (name) => {
      expect(() => parseListing(listingOf(name))).toThrow(InvalidNameError);
    },
  );

  test.each(["{}", "[]", "x", '{"path":"/","at":null,"kind":"file","entries":[]}'])(
    "refuses %s",
    (body) => {
      expect(() => parseListing(body)).toThrow(WireFormatError);
    },
  );
});
