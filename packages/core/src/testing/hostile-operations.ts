import * as fc from "fast-check";

import type { Oid, Recno, Sha256 } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { Base, ReplicatedOperation } from "../kml/operation.ts";
import type { Entry } from "../replay/tree-object.ts";
import { arbitraryOperations } from "./arbitrary-record.ts";

/** What a hostile author knows of a fileset, and makes up. */
export interface HostileKnowledge {
  readonly oids: readonly Oid[];
  readonly directories: readonly Oid[];
  /** Names that are there. */
  readonly entries: readonly Entry[];
  readonly names: readonly Name[];
  readonly contents: readonly Sha256[];
  readonly targets: readonly string[];
  readonly bases: readonly Base[];
}

const OPCODES = [
  "CREATE",
  "MKDIR",
  "SYMLINK",
  "LINK",
  "UNLINK",
  "RMDIR",
  "RENAME",
  "CLOSE",
  "SETATTR",
  "MKNOD",
  "SETEXTATTR",
  "DELEXTATTR",
] as const;

/**
 * Operations on what is there, with everything in them that the format can hold: ids of other kinds than
 * they should be of, names of what must not be touched, bases that never were.
 */
export function hostileOperation(knowledge: HostileKnowledge): fc.Arbitrary<ReplicatedOperation> {
  const { oids, names, contents, targets, bases, directories, entries } = knowledge;
  const parent = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...directories) },
    { weight: 1, arbitrary: fc.constantFrom(...oids) },
  );
  const picks = fc.record({
    oid: fc.constantFrom(...oids),
    parent,
    fromParent: parent,
    toParent: parent,
    name: fc.constantFrom(...names),
    fromName: fc.constantFrom(...names),
    toName: fc.constantFrom(...names),
    nameBase: fc.constantFrom(...bases),
    contentBase: fc.constantFrom(...bases),
    fromBase: fc.constantFrom(...bases),
    base: fc.constantFrom(...bases),
    sha256: fc.constantFrom(...contents),
    target: fc.constantFrom(...targets),
    sizeBytes: fc.constantFrom(0, 1, 5, 2 ** 40),
    mode: fc.nat(0o7777),
    // What ext4 holds: another time is cut to it on disk, and the log keeps what was said.
    mtimeNs: fc.bigInt({ min: 1n - 2n ** 31n, max: 2n ** 33n }).map((s) => s * 1_000_000_000n + 7n),
  });
  const any = fc.oneof(...OPCODES.map((opcode) => arbitraryOperations[opcode]));
  const entry = fc.option(fc.constantFrom(...entries));
  return fc.tuple(any, picks, entry).map(([operation, random, there]) => {
    // Half of what is taken away is there, so that some of it takes effect.
    const picked = there === null ? random : { ...random, ...ofEntry(operation, there) };
    const known = Object.entries(picked).filter(([field]) => Object.hasOwn(operation, field));
    const changed = Object.fromEntries(known);
    const made = { ...operation, ...changed } as ReplicatedOperation;
    if (made.opcode === "MKNOD") return { ...made, ...nodeOf(made) };
    if (made.opcode !== "SETATTR") return made;
    const { mode, mtimeNs } = random;
    return {
      ...made,
      attributes: made.attributes && { ...made.attributes, mode },
      times: made.times && { ...made.times, mtimeNs },
    };
  });
}

/** A FIFO, what would be /dev/null, or a node of a type and a device that there cannot be. */
function nodeOf({ mode, rdev }: { readonly mode: number; readonly rdev: number }) {
  if (rdev % 3 === 0) return { mode: mode | 0o010000, rdev: 0 };
  return rdev % 3 === 1 ? { mode: mode | 0o020000, rdev: 0x103 } : { mode, rdev };
}

function ofEntry(
  { opcode }: ReplicatedOperation,
  { oid, parent, name, version }: Entry,
): Readonly<Record<string, unknown>> {
  if (opcode === "RENAME") {
    return { oid, fromParent: parent, fromName: name, fromBase: version, contentBase: version };
  }
  if (opcode !== "UNLINK" && opcode !== "RMDIR") return {};
  return { oid, parent, name, nameBase: version, contentBase: version };
}

/** A recno as a base. */
export function baseAt(recno: number): Base {
  return recno as Recno;
}
