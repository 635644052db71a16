import { describe, expect, it } from "vitest";

import type { Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import { ROOT_OID } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { Base, ClientOperation } from "../kml/operation.ts";
import type { PendingRecord } from "../sync/pending-record.ts";
import { Oracle } from "../testing/simulation/oracle.ts";
import { Random } from "../testing/simulation/random.ts";
import { SimulatedClient } from "../testing/simulation/simulated-client.ts";
import { placesOf, Workload } from "../testing/simulation/workload.ts";
import { optimize } from "./optimize.ts";

const PEER = "9".repeat(32) as PeerId;
const ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };

const own = (recno: number): Base => ({ peer: PEER, recno: recno as Recno });
const oid = (letter: string): Oid => letter.repeat(32) as Oid;

const create: ClientOperation = {
  opcode: "CREATE",
  oid: oid("a"),
  parent: ROOT_OID,
  name: "a" as Name,
  path: "/a",
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  conflict: null,
};
const close = (bytes: string, contentBase: Base): ClientOperation => ({
  opcode: "CLOSE",
  oid: oid("a"),
  path: "/a",
  contentBase,
  sizeBytes: 1,
  mtimeNs: 0n,
  sha256: bytes.repeat(64) as Sha256,
  conflict: null,
});
const unlink = (contentBase: Base): ClientOperation => ({
  opcode: "UNLINK",
  oid: oid("a"),
  parent: ROOT_OID,
  name: "a" as Name,
  path: "/a",
  nameBase: own(1),
  contentBase,
  isLastName: true,
});

function pending(...operations: readonly ClientOperation[]): PendingRecord[] {
  return operations.map((operation, index) => ({
    recno: (index + 1) as Recno,
    authorTimeNs: 0n,
    actor: ACTOR,
    operation,
  }));
}

describe("optimize()", () => {
  it("[C8] cancels what was made and removed again", () => {
    const records = optimize(pending(create, close("1", own(1)), unlink(own(2))));
    expect(records.map(({ record }) => record)).toEqual([null, null, null]);
    expect(records.flatMap(({ covers }) => covers)).toEqual([1, 2, 3]);
  });

  it("[C8] keeps what came back after its removal", () => {
    const records = optimize(
      pending(create, close("1", own(1)), unlink(own(2)), close("2", own(2))),
    );
    expect(records.map(({ record }) => record)).not.toContain(null);
  });

  it("[C8] keeps the last of several contents, on the base of the first", () => {
    const records = optimize(
      pending(close("1", 7 as Recno), close("2", own(1)), close("3", own(2))),
    );
    expect(records).toEqual([
      { covers: [1, 2, 3], record: expect.objectContaining({ operation: close("3", 7 as Recno) }) },
    ]);
  });

  it("[C8] keeps a content on which something else builds", () => {
    const times: ClientOperation = {
      opcode: "SETATTR",
      oid: oid("a"),
      path: "/a",
      attributes: null,
      times: { contentBase: own(1), mtimeNs: 5n },
    };
    expect(optimize(pending(close("1", 7 as Recno), times, close("2", own(1))))).toHaveLength(3);
  });

  it("[C8] covers every record once, whatever programs did", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { client, workload } = programs(seed);
      for (let step = 0; step < 30; step += 1) workload.step(client);
      client.seal();
      const covered = client.freezeAll().toSorted((a, b) => a - b);
      expect(new Set(covered).size, `seed ${seed}`).toBe(covered.length);
      expect(client.unsentCount, `seed ${seed}`).toBe(0);
    }
  });

  it("[C8] leaves the tree as it is, whatever programs did", () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const { client, workload } = programs(seed);
      for (let step = 0; step < 30; step += 1) workload.step(client);
      client.seal();
      const before = describeTree(client);
      client.freezeAll();
      expect(describeTree(client), `seed ${seed}`).toEqual(before);
    }
  });
});

function programs(seed: number): { client: SimulatedClient; workload: Workload } {
  const random = new Random(seed);
  return {
    client: new SimulatedClient("client", random, null),
    workload: new Workload(random, new Oracle()),
  };
}

function describeTree(client: SimulatedClient): unknown[] {
  return placesOf(client.visible).map(({ entry, object }) => [
    entry.parent,
    entry.name,
    entry.oid,
    object.kind,
    object.mode,
    object.sha256,
  ]);
}
