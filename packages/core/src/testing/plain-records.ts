import type { Oid, PeerId, Recno } from "../kml/identity.ts";
import { parseName } from "../kml/name.ts";
import { type KmlRecord, NO_CHECK } from "../kml/record.ts";

/** The peer that {@link plainRecord} has as its author. */
export const PLAIN_PEER = "a0".repeat(16) as PeerId;

/** A small record, the same for the same recno: a MKDIR at the root. */
export function plainRecord(recno: number): KmlRecord {
  const name = parseName(`dir-${recno}`);
  return {
    recno: recno as Recno,
    authorTimeNs: BigInt(recno) * 1_000_000_000n,
    logTimeNs: BigInt(recno) * 1_000_000_000n,
    origin: { peer: PLAIN_PEER, recno: recno as Recno, check: NO_CHECK },
    actor: { uid: 1000, gid: 1000, groups: [1000], command: "mkdir" },
    operation: {
      opcode: "MKDIR",
      oid: recno.toString(16).padStart(32, "0") as Oid,
      parent: "0".repeat(31).concat("1") as Oid,
      name,
      path: `/${name}`,
      conflict: null,
      mode: 0o755,
      uid: 1000,
      gid: 1000,
      mtimeNs: 0n,
    },
  };
}

/** {@link plainRecord} for each recno from `first` to `last`. */
export function plainRecords(first: number, last: number): KmlRecord[] {
  return Array.from({ length: last - first + 1 }, (_, index) => plainRecord(first + index));
}
