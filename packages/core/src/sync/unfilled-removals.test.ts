import { expect, it } from "vitest";

import { allAtOnce } from "../in-pieces.ts";
import { ROOT_OID, type Oid, type Recno } from "../kml/identity.ts";
import { parseName } from "../kml/name.ts";
import type { ClientOperation } from "../kml/operation.ts";
import type { Optimized } from "../optimize/optimize.ts";
import { withUnfilledRemovals } from "./unfilled-removals.ts";

const oidOf = (byte: string): Oid => byte.repeat(16) as Oid;
const [OLD, NEW, OTHER, OTHER_NEW] = ["a1", "a2", "b1", "b2"].map(oidOf) as [Oid, Oid, Oid, Oid];
const DIRECTORY = oidOf("d1");
const DIRECTORY_NEW = oidOf("d2");

const at = (name: string, parent: Oid, above = "") => ({
  parent,
  name: parseName(name),
  path: `${above}/${name}`,
});

function make(opcode: "CREATE" | "MKDIR", oid: Oid, place: ReturnType<typeof at>): ClientOperation {
  return { opcode, oid, ...place, mode: 0o700, uid: 0, gid: 0, mtimeNs: 0n, conflict: null };
}

function unlink(oid: Oid, place: ReturnType<typeof at>): ClientOperation {
  const bases = { nameBase: 0 as Recno, contentBase: 0 as Recno };
  return { opcode: "UNLINK", oid, ...place, ...bases, isLastName: true };
}

const ready = (...operations: ClientOperation[]): Optimized[] =>
  operations.map((operation, index) => {
    const recno = (index + 1) as Recno;
    const actor = { uid: 0, gid: 0, groups: [], command: "" };
    return { covers: [recno], record: { recno, authorTimeNs: 0n, actor, operation } };
  });

it("withUnfilledRemovals() keeps a file for as long as what replaces it waits for its directory [P3]", () => {
  const records = ready(
    unlink(OLD, at("kept", DIRECTORY, "/d")),
    { opcode: "RMDIR", oid: DIRECTORY, ...at("d", ROOT_OID), nameBase: 0 as Recno },
    make("MKDIR", DIRECTORY_NEW, at("d", ROOT_OID)),
    make("CREATE", NEW, at("kept", DIRECTORY_NEW, "/d")),
    unlink(OTHER, at("other", ROOT_OID)),
    make("CREATE", OTHER_NEW, at("other", ROOT_OID)),
  );
  expect([...allAtOnce(withUnfilledRemovals(records, [2 as Recno]))]).toEqual([2, 1]);
});

it("withUnfilledRemovals() lets go what is not given anew, or by what goes as well", () => {
  const gone = ready(unlink(OLD, at("a", ROOT_OID)), unlink(OTHER, at("b", ROOT_OID)));
  expect([...allAtOnce(withUnfilledRemovals(gone, [2 as Recno]))]).toEqual([2]);
});
