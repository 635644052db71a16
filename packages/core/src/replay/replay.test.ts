import { describe, expect, it } from "vitest";

import { NO_RECNO, ROOT_OID, type Oid, type PeerId, type Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ReplicatedOperation } from "../kml/operation.ts";
import { NO_CHECK, type ServerRecord } from "../kml/record.ts";
import { exchange } from "../testing/simulation/exchange.ts";
import { Oracle } from "../testing/simulation/oracle.ts";
import { placesOf } from "../testing/simulation/places.ts";
import { Random } from "../testing/simulation/random.ts";
import { SimulatedClient } from "../testing/simulation/simulated-client.ts";
import { SimulatedServer } from "../testing/simulation/simulated-server.ts";
import { Workload } from "../testing/simulation/workload.ts";
import { MemoryState } from "./memory-state.ts";
import { OverlayState } from "./overlay-state.ts";
import { objectPath } from "./path-of.ts";
import { ImpossibleRecordError, replay } from "./replay.ts";
import type { MutableState, StateReader } from "./state.ts";

const SERVER = "5e".repeat(16) as PeerId;
const oid = (letter: string): Oid => letter.repeat(32) as Oid;

function record(recno: number, operation: ReplicatedOperation): ServerRecord {
  return {
    recno: recno as Recno,
    authorTimeNs: 0n,
    logTimeNs: 0n,
    origin: { peer: SERVER, recno: recno as Recno, check: NO_CHECK },
    actor: { uid: 0, gid: 0, groups: [], command: "test" },
    operation,
  };
}

function made(
  recno: number,
  opcode: "CREATE" | "MKDIR",
  id: Oid,
  parent: Oid,
  name: string,
): ServerRecord {
  const place = { oid: id, parent, name: name as Name, path: `/${name}` };
  return record(recno, {
    opcode,
    ...place,
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
    conflict: null,
  });
}

function removal(recno: number, id: Oid, parent: Oid, name: string): ServerRecord {
  const place = { oid: id, parent, name: name as Name, path: `/${name}` };
  return record(recno, { opcode: "RMDIR", ...place, nameBase: 0 as Recno });
}

/** A log as three clients and a server make it. */
async function randomLog(seed: number): Promise<readonly ServerRecord[]> {
  const random = new Random(seed);
  const server = new SimulatedServer(null);
  await server.start(random);
  const clients = ["one", "two", "three"].map((name) => SimulatedClient.make(name, random, null));
  for (const client of clients) await client.start(random);
  for (let step = 0; step < 60; step += 1) {
    const client = random.pick(clients);
    await new Workload(client, random, new Oracle()).run();
    if (!random.chance(0.5)) continue;
    client.seal();
    for (let round = 0; round < 4; round += 1) {
      await exchange(client, server, random, (message) => message());
    }
  }
  return server.ledger.history;
}

function replayAll(log: readonly ServerRecord[], state: MutableState, times = 1): Recno {
  let head = NO_RECNO;
  for (const each of log) {
    for (let time = 0; time < times; time += 1) head = replay(each, state, head);
  }
  return head;
}

function describeTree(state: StateReader): unknown {
  return placesOf(state);
}

describe("replay()", () => {
  it("[D1] moves a directory with all that is in it by one record", () => {
    const state = new MemoryState();
    const log = [
      made(1, "MKDIR", oid("d"), ROOT_OID, "d"),
      made(2, "CREATE", oid("f"), oid("d"), "f"),
    ];
    const head = replayAll(log, state);
    const moved: ReplicatedOperation = {
      opcode: "RENAME",
      oid: oid("d"),
      contentBase: 1 as Recno,
      fromParent: ROOT_OID,
      fromName: "d" as Name,
      fromPath: "/d",
      fromBase: 1 as Recno,
      toParent: ROOT_OID,
      toName: "e" as Name,
      toPath: "/e",
      victim: null,
      keepsOid: false,
      conflict: null,
    };
    replay(record(3, moved), state, head);
    expect(objectPath(state, oid("f"))).toBe("/e/f");
    expect(state.entry(oid("d"), "f" as Name)?.version).toBe(2);
  });

  it("changes nothing when a record is replayed again", async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const log = await randomLog(seed);
      const once = new MemoryState();
      const twice = new MemoryState();
      expect(replayAll(log, twice, 2)).toBe(replayAll(log, once));
      expect(describeTree(twice), `seed ${seed}`).toEqual(describeTree(once));
    }
  });

  it.each([
    { description: "in itself", parent: oid("d") },
    { description: "in a directory that was in it", parent: oid("e") },
  ])(
    "refuses to make a removed directory anew $description: no way would lead out of it",
    ({ parent }) => {
      const state = new MemoryState();
      const head = replayAll(
        [
          made(1, "MKDIR", oid("d"), ROOT_OID, "d"),
          made(2, "MKDIR", oid("e"), oid("d"), "e"),
          removal(3, oid("e"), oid("d"), "e"),
          removal(4, oid("d"), ROOT_OID, "d"),
        ],
        state,
      );
      const below = made(5, "MKDIR", oid("d"), parent, "x");
      expect(() => replay(below, state, head)).toThrow(ImpossibleRecordError);
    },
  );

  it("refuses to go on over a gap", () => {
    const state = new MemoryState();
    expect(() => replay(made(2, "CREATE", oid("f"), ROOT_OID, "f"), state, NO_RECNO)).toThrow(
      "Cannot replay record 2: the state stands at 0, expected 1",
    );
    expect(describeTree(state)).toEqual([]);
  });
});

describe("OverlayState", () => {
  it("shows over any part of a log what the whole log gives, and leaves its base as it was", async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const log = await randomLog(seed);
      const whole = new MemoryState();
      replayAll(log, whole);
      const cut = new Random(seed).below(log.length + 1);
      const base = new MemoryState();
      let head = replayAll(log.slice(0, cut), base);
      const before = describeTree(base);
      const overlay = new OverlayState(base);
      for (const each of log.slice(cut)) head = replay(each, overlay, head);
      expect(describeTree(overlay), `seed ${seed}, cut at ${cut}`).toEqual(describeTree(whole));
      expect(describeTree(base)).toEqual(before);
    }
  });
});
