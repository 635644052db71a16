import { describe, expect, it } from "vitest";

import {
  EMPTY_SHA256,
  ROOT_OID,
  type Oid,
  type PeerId,
  type Recno,
  type Sha256,
} from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation, CloseOperation, ReplicatedOperation } from "../kml/operation.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { applyOperation } from "../replay/replay.ts";
import { PendingLog } from "./pending-log.ts";
import { salvage } from "./salvage.ts";

const SERVER = "5e".repeat(16) as PeerId;
const OLD = "1".repeat(32) as PeerId;
const NEW = "2".repeat(32) as PeerId;
const ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };
const FILE = "a".repeat(32) as Oid;
const CONTENT = "c".repeat(64) as Sha256;

const create: ReplicatedOperation = {
  opcode: "CREATE",
  oid: FILE,
  parent: ROOT_OID,
  name: "a" as Name,
  path: "/a",
  mode: 0o644,
  uid: 1,
  gid: 1,
  mtimeNs: 0n,
  conflict: null,
};
const link: ReplicatedOperation = {
  opcode: "LINK",
  oid: FILE,
  parent: ROOT_OID,
  name: "b" as Name,
  path: "/b",
  conflict: null,
};
const colour: ReplicatedOperation = {
  opcode: "SETEXTATTR",
  oid: FILE,
  path: "/a",
  attribute: "user.colour",
  value: Uint8Array.of(1),
  base: 0 as Recno,
};
const close: CloseOperation = {
  opcode: "CLOSE",
  oid: FILE,
  path: "/a",
  contentBase: 1 as Recno,
  sizeBytes: 1,
  mtimeNs: 0n,
  sha256: CONTENT,
  conflict: null,
};
const rename: ReplicatedOperation = {
  opcode: "RENAME",
  oid: FILE,
  contentBase: 1 as Recno,
  fromParent: ROOT_OID,
  fromName: "a" as Name,
  fromPath: "/a",
  fromBase: 1 as Recno,
  toParent: ROOT_OID,
  toName: "c" as Name,
  toPath: "/c",
  victim: null,
  keepsOid: false,
  conflict: null,
};

/** The tree after these records, numbered from 1. */
function stateOf(log: readonly ReplicatedOperation[]): MemoryState {
  const state = new MemoryState();
  log.forEach((operation, index) => applyOperation(operation, (index + 1) as Recno, SERVER, state));
  return state;
}

/** What a client brings back that had replayed `log`, to a server restored to its first `common` records. */
function salvaged(
  log: readonly ReplicatedOperation[],
  common: number,
  hasContent = true,
): ClientOperation[] {
  const records = salvage({
    before: stateOf(log),
    after: stateOf(log.slice(0, common)),
    common: common as Recno,
    pending: new PendingLog(OLD),
    newPeer: NEW,
    nowNs: 1n,
    actor: ACTOR,
    hasContent: () => hasContent,
  });
  return records.map(({ operation }) => operation);
}

describe("salvage()", () => {
  const cases = [
    { description: "nothing was lost", log: [create, close], common: 2, expected: [] },
    { description: "a file", log: [create], common: 0, expected: ["CREATE /a"] },
    { description: "a content", log: [create, close], common: 1, expected: ["CLOSE /a"] },
    { description: "a move", log: [create, rename], common: 1, expected: ["RENAME /c"] },
    {
      description: "a further name, beside the first",
      log: [create, link],
      common: 1,
      expected: ["LINK /b"],
    },
    {
      description: "a file with two names",
      log: [create, link],
      common: 0,
      expected: ["CREATE /a", "LINK /b"],
    },
    {
      description: "an extended attribute",
      log: [create, colour],
      common: 1,
      expected: ["SETEXTATTR /a"],
    },
    {
      description: "a file with content and attribute",
      log: [create, close, colour],
      common: 0,
      expected: ["CREATE /a", "CLOSE /a", "SETEXTATTR /a"],
    },
  ];
  it.each(cases)("[P2] brings back $description", ({ log, common, expected }) => {
    const operations = salvaged(log, common).map((operation) => {
      const path =
        "toPath" in operation ? operation.toPath : "path" in operation ? operation.path : "";
      return `${operation.opcode} ${path}`;
    });
    expect(operations).toEqual(expected);
  });

  it("[P2] leaves a content to other clients that is not here", () => {
    expect(salvaged([create, close], 1, false)).toEqual([]);
  });

  it("[D3] lets a pending record build on what was brought back", () => {
    const pending = new PendingLog(OLD);
    pending.add({
      recno: 1 as Recno,
      authorTimeNs: 0n,
      logTimeNs: 0n,
      origin: { peer: OLD, recno: 1 as Recno, check: "0".repeat(16) },
      actor: ACTOR,
      operation: {
        ...close,
        contentBase: 2 as Recno,
        sha256: EMPTY_SHA256,
      },
    });
    const records = salvage({
      before: stateOf([create, close]),
      after: stateOf([create]),
      common: 1 as Recno,
      pending,
      newPeer: NEW,
      nowNs: 1n,
      actor: ACTOR,
      hasContent: () => true,
    });
    expect(
      records.map(({ operation }) => operation.opcode === "CLOSE" && operation.contentBase),
    ).toEqual([1, { peer: NEW, recno: 1 }]);
  });

  it("[D3] names the copy with which waiting contents go on, where only the lost log tells of it", () => {
    const copy = "b".repeat(32) as Oid;
    const log = [create, { ...create, oid: copy, name: "copy" as Name, path: "/copy" }];
    const before = stateOf(log);
    const two = 2 as Recno;
    const versions = { nameVersion: two, contentVersion: two, attributesVersion: two };
    const trace = { trace: two, check: "0".repeat(16), reason: null };
    const saved = { peer: OLD, recno: 1 as Recno };
    before.putOutcome(saved, { verdict: "copied", oid: copy, ...trace, ...versions });
    const pending = new PendingLog(OLD);
    for (const recno of [2, 3] as Recno[]) {
      const contentBase = { peer: OLD, recno: (recno - 1) as Recno };
      pending.add({
        recno,
        authorTimeNs: 0n,
        logTimeNs: 0n,
        origin: { peer: OLD, recno, check: "0".repeat(16) },
        actor: ACTOR,
        operation: { ...close, contentBase },
      });
    }
    const records = salvage({
      before,
      after: stateOf([create]),
      common: 1 as Recno,
      pending,
      newPeer: NEW,
      nowNs: 1n,
      actor: ACTOR,
      hasContent: () => true,
    });
    expect(records.map(({ operation }) => "oid" in operation && operation.oid)).toEqual([
      copy,
      copy,
      copy,
    ]);
  });
});
