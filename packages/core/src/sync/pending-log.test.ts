import { expect, it } from "vitest";

import type { Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import type { Base, ClientOperation } from "../kml/operation.ts";
import { type KmlRecord, NO_CHECK } from "../kml/record.ts";
import { PendingLog } from "./pending-log.ts";

const PEER = "9".repeat(32) as PeerId;
const OID = "a".repeat(32) as Oid;
const ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };

const own = (recno: number): Base => ({ peer: PEER, recno: recno as Recno });

const record = (recno: number, operation: KmlRecord["operation"]): KmlRecord => ({
  recno: recno as Recno,
  authorTimeNs: 0n,
  logTimeNs: 0n,
  origin: { peer: PEER, recno: recno as Recno, check: NO_CHECK },
  actor: ACTOR,
  operation,
});

const close: ClientOperation = {
  opcode: "CLOSE",
  oid: OID,
  path: "/a",
  contentBase: 7 as Recno,
  sizeBytes: 1,
  mtimeNs: 0n,
  sha256: "1".repeat(64) as Sha256,
  conflict: null,
};
const timesOn = (contentBase: Base): ClientOperation => ({
  opcode: "SETATTR",
  oid: OID,
  path: "/a",
  attributes: null,
  times: { contentBase, mtimeNs: 5n },
});

function read(records: readonly KmlRecord[]): PendingLog {
  const pending = new PendingLog(PEER);
  for (const each of records) pending.add(each);
  return pending;
}

const builtOn = (pending: PendingLog): unknown =>
  pending.unsent.map(({ operation }) => operation.opcode === "SETATTR" && operation.times);

it("PendingLog.needsBefore() keeps a dropped CLOSE that alone says what is below it", () => {
  const cancelled = record(3, { opcode: "CANCELLED", recno: 1 as Recno });
  const log = [record(1, close), record(2, timesOn(own(1))), cancelled];
  expect(builtOn(read(log))).toMatchObject([{ contentBase: 7 }]);
  expect(read(log).oldestRecno).toBe(2);
  expect(read(log).needsBefore(2 as Recno)).toBe(true);
  // Why: without it, nobody knows what that builds on.
  expect(builtOn(read(log.slice(1)))).toMatchObject([{ contentBase: own(1) }]);
});

it("PendingLog.needsBefore() keeps nothing that was sent, while what builds on it waits", () => {
  const sent = record(3, { opcode: "SENT", covers: [1 as Recno], operation: close });
  const log = [record(1, close), record(2, timesOn(own(1))), sent];
  const pending = read(log);
  pending.acknowledge(3 as Recno);
  expect(pending.oldestRecno).toBe(2);
  expect(pending.needsBefore(2 as Recno)).toBe(false);
  expect(builtOn(pending)).toMatchObject([{ contentBase: own(3) }]);
  expect(builtOn(read(log.slice(1)))).toMatchObject([{ contentBase: own(3) }]);
});
