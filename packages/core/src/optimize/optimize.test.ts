import { describe, expect, it } from "vitest";

import type { Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import { ROOT_OID } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { Base, ClientOperation, SetattrOperation } from "../kml/operation.ts";
import type { PendingRecord } from "../sync/pending-record.ts";
import { Oracle } from "../testing/simulation/oracle.ts";
import { describeLooks } from "../testing/simulation/places.ts";
import { Random } from "../testing/simulation/random.ts";
import { SimulatedClient } from "../testing/simulation/simulated-client.ts";
import { Workload } from "../testing/simulation/workload.ts";
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
const setattr = (change: Pick<SetattrOperation, "attributes" | "times">): SetattrOperation => ({
  opcode: "SETATTR",
  oid: oid("a"),
  path: "/a",
  ...change,
});
const chmod = (mode: number, base: Base | number): SetattrOperation =>
  setattr({ attributes: { base: base as Base, mode, uid: 0, gid: 0 }, times: null });
const touch = (mtimeNs: bigint, contentBase: number): SetattrOperation =>
  setattr({ attributes: null, times: { contentBase: contentBase as Recno, mtimeNs } });
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
    // As one: a crash that left a part of it would leave the removal of what was never made.
    expect(records).toEqual([{ covers: [1, 2, 3], record: null }]);
  });

  it("[C8] keeps what was removed in another state than it is made in here", () => {
    const unseen = pending(create, close("1", own(1)), unlink(7 as Recno));
    const madeTwice = pending(
      create,
      close("1", own(1)),
      create,
      close("2", own(3)),
      unlink(own(4)),
    );
    for (const records of [unseen, madeTwice]) {
      expect(optimize(records).map(({ record }) => record)).not.toContain(null);
    }
  });

  it("[C8] leaves a content before what else is done to its object", () => {
    const link: ClientOperation = {
      opcode: "LINK",
      oid: oid("a"),
      parent: ROOT_OID,
      name: "b" as Name,
      path: "/b",
      conflict: null,
    };
    expect(optimize(pending(close("1", 7 as Recno), link, close("2", own(1))))).toHaveLength(3);
  });

  it("[C8] keeps what came back after its removal", () => {
    const records = optimize(
      pending(create, close("1", own(1)), unlink(own(2)), close("2", own(2))),
    );
    expect(records.map(({ record }) => record)).not.toContain(null);
    const [made, written, removed, later] = pending(
      create,
      close("1", own(1)),
      unlink(own(2)),
      close("2", own(2)),
    );
    const withHeld = optimize([made!, written!, removed!], [later!]);
    expect(withHeld.map(({ record }) => record)).not.toContain(null);
  });

  it("[C8] keeps what has another name, although no record here gave it one", () => {
    const oneOfTwo = { ...unlink(own(2)), isLastName: false } as ClientOperation;
    const records = optimize(pending(create, close("1", own(1)), oneOfTwo));
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

  it("[C8] takes a file that was written without end in pieces that a record has room for", () => {
    const times = 50_000;
    const closes = Array.from({ length: times }, (_, index) =>
      close("1", index === 0 ? (7 as Recno) : own(index)),
    );
    const records = optimize(pending(...closes));
    const covered = records.flatMap(({ covers }) => covers);
    expect(covered).toEqual(Array.from({ length: times }, (_, index) => index + 1));
    expect(Math.max(...records.map(({ covers }) => covers.length))).toBeLessThan(10_000);
    const sent = records.flatMap(({ record }) => record ?? []);
    expect(sent).toMatchObject([{ recno: times, operation: { contentBase: 7 } }]);
  });

  it("[C8] keeps the last of several modes, or times of one content, on the base of the first", () => {
    const records = optimize(pending(chmod(0o600, 7), chmod(0o640, own(1)), chmod(0o644, own(2))));
    const last = expect.objectContaining({ operation: chmod(0o644, 7) });
    expect(records).toEqual([{ covers: [1, 2, 3], record: last }]);
    const touched = optimize(pending(touch(1n, 7), touch(2n, 7)));
    expect(touched).toMatchObject([{ covers: [1, 2], record: { operation: touch(2n, 7) } }]);
  });

  it("[C8] sends some of the modes that were set without end: what builds on them is judged by those", () => {
    const times = 10_000;
    const modes = Array.from({ length: times }, (_, index) =>
      chmod(index % 0o1000, index === 0 ? 7 : own(index)),
    );
    const records = optimize(pending(...modes));
    expect(records.flatMap(({ covers }) => covers)).toHaveLength(times);
    expect(records).toMatchObject([
      { record: { recno: 4096, operation: { attributes: { base: 7 } } } },
      { record: { recno: 8192, operation: { attributes: { base: own(4096) } } } },
      { record: { recno: times, operation: { attributes: { base: own(8192) } } } },
    ]);
  });

  it.each([
    {
      description: "a content between them",
      records: [chmod(0o600, 7), close("1", 7 as Recno), chmod(0o640, own(1))],
    },
    { description: "times of another content", records: [touch(1n, 7), touch(2n, 8)] },
    { description: "times after a mode", records: [chmod(0o600, 7), touch(1n, 7)] },
    {
      description: "modes that were not made on each other",
      records: [chmod(0o600, 7), chmod(0o640, 7)],
    },
    {
      description: "a mode on which two build",
      records: [chmod(0o600, 7), chmod(0o640, own(1)), { ...chmod(0o644, own(1)), oid: oid("b") }],
    },
  ])("[C8] keeps $description", ({ records }) => {
    expect(optimize(pending(...records))).toHaveLength(records.length);
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

  it("[C8] keeps a content that somebody edited twice, also where one edit has to wait", () => {
    const [first, second, third] = pending(
      close("1", 7 as Recno),
      close("2", own(1)),
      close("3", own(1)),
    );
    expect(optimize([first!, second!, third!])).toHaveLength(3);
    expect(optimize([first!, second!], [third!])).toHaveLength(2);
  });

  it("[C8] covers every record once, whatever programs did", async () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const client = await afterPrograms(seed);
      const { pending: waiting } = client.replica;
      const recnos = waiting.unsent.map(({ recno }) => recno);
      const covered = waiting.sendable().flatMap(({ covers }) => covers);
      expect(
        covered.toSorted((x, y) => x - y),
        `seed ${seed}`,
      ).toEqual(recnos);
    }
  });

  it("[C8] leaves the tree as it is, whatever programs did", async () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const client = await afterPrograms(seed);
      const before = describeLooks(client.visible);
      await client.replica.freeze(client.replica.pending.sendable());
      expect(client.replica.pending.unsent, `seed ${seed}`).toEqual([]);
      client.replica.rebase();
      expect(describeLooks(client.visible), `seed ${seed}`).toEqual(before);
    }
  });

  it("[C8] leaves the tree as it is where it is sent in parts, and looked at in pieces, while programs go on", async () => {
    let looks = 0;
    for (let seed = 1; seed <= 30; seed += 1) {
      const { client, random, workload } = await programsOn(seed, 150);
      const { replica } = client;
      const { pending: waiting } = replica;
      for (let left = 40; left > 0 || waiting.size > waiting.frozen.length; left -= 1) {
        const work = async (): Promise<void> => {
          if (left > 0) await workload.run();
          if (left <= 0 || random.chance(0.5)) client.seal();
        };
        const look = waiting.look();
        while (look.next().done !== true) await work();
        if (!waiting.isLookRight) continue;
        await replica.freeze([...waiting.ready()].slice(0, 1 + random.below(20)));
        if (random.chance(0.7)) await work();
      }
      looks += waiting.looks;
      const before = describeLooks(client.visible);
      replica.rebase();
      expect(describeLooks(client.visible), `seed ${seed}`).toEqual(before);
    }
    // Else it would have been looked at for each part.
    expect(looks).toBeLessThan(30 * 40);
  });
});

/** A client that has not met its server yet, and on which programs did thirty things. */
async function afterPrograms(seed: number): Promise<SimulatedClient> {
  return (await programsOn(seed, 30)).client;
}

/** A client that has not met its server yet, and on which programs have begun to work. */
async function programsOn(seed: number, steps: number) {
  const random = new Random(seed);
  const client = SimulatedClient.make("client", random, null);
  await client.start(random);
  const workload = new Workload(client, random, new Oracle());
  for (let step = 0; step < steps; step += 1) {
    await workload.run();
  }
  client.seal();
  return { client, random, workload };
}
