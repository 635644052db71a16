import { expect, test } from "vitest";

import { ROOT_OID, type Oid, type PeerId, type Recno } from "../kml/identity.ts";
import { parseName } from "../kml/name.ts";
import type { Base, ClientOperation } from "../kml/operation.ts";
import type { Optimized } from "../optimize/optimize.ts";
import { withoutHeld } from "./without-held.ts";

const [A, B, D] = ["a1", "b2", "d4"].map((byte) => byte.repeat(16) as Oid) as [Oid, Oid, Oid];

function create(oid: Oid, name: string, parent: Oid = ROOT_OID): ClientOperation {
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n };
  const place = { parent, name: parseName(name), path: `/${name}`, conflict: null };
  return { opcode: "CREATE", oid, ...place, ...attributes };
}

function setMode(oid: Oid, base: Base = 0 as Recno): ClientOperation {
  const attributes = { base, mode: 0o600, uid: 0, gid: 0 };
  return { opcode: "SETATTR", oid, path: "/", attributes, times: null };
}

function move(oid: Oid, fromParent: Oid, toName: string, victim: Oid | null): ClientOperation {
  return {
    opcode: "RENAME",
    oid,
    contentBase: 0 as Recno,
    fromParent,
    fromName: parseName("from"),
    fromPath: "/from",
    fromBase: 0 as Recno,
    toParent: ROOT_OID,
    toName: parseName(toName),
    toPath: `/${toName}`,
    victim: victim && { oid: victim, contentBase: 0 as Recno, isLastName: true },
    keepsOid: false,
    conflict: null,
  };
}

const moveOut = (oid: Oid, from: Oid): ClientOperation => move(oid, from, "out", null);
const moveOver = (oid: Oid, victim: Oid): ClientOperation => move(oid, ROOT_OID, "d", victim);

function remove(oid: Oid): ClientOperation {
  const place = { parent: ROOT_OID, name: parseName("d"), path: "/d" };
  return { opcode: "RMDIR", oid, ...place, nameBase: 0 as Recno };
}

const ready = (...operations: (ClientOperation | null)[]): Optimized[] =>
  operations.map((operation, index) => {
    const recno = (index + 1) as Recno;
    const actor = { uid: 0, gid: 0, groups: [], command: "" };
    const record = operation && { recno, authorTimeNs: 0n, actor, operation };
    return { covers: [recno], record };
  });

const held = (waiting: number, records: Optimized[]): number[] => {
  const going = withoutHeld(records, ({ recno }) => recno === waiting);
  return records.filter((each) => !going.includes(each)).map(({ covers }) => covers[0]!);
};

test.each([
  {
    description: "what changes the same object",
    records: ready(create(A, "a"), create(B, "b"), setMode(A)),
    expected: [1, 3],
  },
  {
    description: "what builds on it, also on another object",
    records: ready(
      create(A, "a"),
      setMode(B, { peer: "9".repeat(32) as PeerId, recno: 1 as Recno }),
    ),
    expected: [1, 2],
  },
  {
    description: "what takes the same name",
    records: ready(create(A, "a"), create(B, "a")),
    expected: [1, 2],
  },
  {
    description: "what stands below it, and what depends on that",
    records: ready(create(D, "d"), create(A, "a", D), setMode(A), create(B, "b")),
    expected: [1, 2, 3],
  },
  {
    description:
      "the removal of a directory that something is moved out of, also by a move over it",
    records: ready(moveOut(A, D), setMode(B), remove(D), moveOver(B, D)),
    expected: [1, 3, 4],
  },
  {
    description: "nothing that cancels out",
    records: ready(create(A, "a"), null),
    expected: [1],
  },
])("[P3] withoutHeld() holds back $description", ({ records, expected }) => {
  expect(held(1, records)).toEqual(expected);
});
