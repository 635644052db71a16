import { describe, expect, it } from "vitest";

import { type Oid, type PeerId, ROOT_OID, type Sha256 } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { JudgedLog } from "../testing/undo/judged-log.ts";
import { recordAuthors } from "./record-authors.ts";

const ANN = "aa".repeat(16) as PeerId;
const BOB = "bb".repeat(16) as PeerId;
const OID = "1".repeat(32) as Oid;

const place = { oid: OID, parent: ROOT_OID, name: "a" as Name, path: "/a" };
const made: ClientOperation = {
  opcode: "CREATE",
  ...place,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  conflict: null,
};

describe("recordAuthors()", () => {
  it("takes what a server logs beside a trace for the work of its author [P1]", () => {
    const log = new JudgedLog();
    log.submit(BOB, made);
    const [created] = log.records;
    const base = created!.recno;
    const seen = { nameBase: base, contentBase: base };
    log.submit(BOB, { opcode: "UNLINK", ...place, ...seen, isLastName: true });
    // An edit of what Bob has removed: the server makes the file again, and then applies the edit.
    const content = { sizeBytes: 1, mtimeNs: 0n, sha256: "2".repeat(64) as Sha256 };
    log.submit(ANN, {
      opcode: "CLOSE",
      oid: OID,
      path: "/a",
      contentBase: base,
      conflict: null,
      ...content,
    });
    expect(log.records.map(({ operation }) => operation.opcode)).toEqual([
      "CREATE",
      "UNLINK",
      "CREATE",
      "CLOSE",
    ]);
    expect(recordAuthors(log.records)).toEqual([BOB, BOB, ANN, ANN]);
  });
});
