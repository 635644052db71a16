import fc from "fast-check";

import type { Recno } from "../kml/identity.ts";
import type { OutcomeReason } from "../kml/operation.ts";
import { OUTCOME_REASONS } from "../kml/outcome-reason.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type { TreeObject } from "../replay/tree-object.ts";
import type { SnapshotRow } from "../wire/snapshot-row.ts";
import {
  arbitraryName,
  arbitraryOid,
  arbitraryPeerId,
  arbitraryRecno,
  arbitrarySha256,
} from "./arbitrary-record.ts";

// Whole snapshots of anything that the format can hold.

const u32 = fc.nat({ max: 0xffff_ffff });
const timeNs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const check = arbitraryOid.map((digits) => digits.slice(0, 16));

const arbitraryTreeObject: fc.Arbitrary<TreeObject> = fc.record({
  oid: arbitraryOid,
  kind: fc.constantFrom("file", "directory", "symlink", "special"),
  creator: arbitraryPeerId,
  mode: u32,
  uid: u32,
  gid: u32,
  attributesVersion: arbitraryRecno,
  sizeBytes: fc.maxSafeNat(),
  mtimeNs: timeNs,
  sha256: fc.option(arbitrarySha256),
  contentVersion: arbitraryRecno,
  target: arbitraryName,
  rdev: fc.maxSafeNat(),
  xattrs: fc
    .array(
      fc.tuple(
        arbitraryName,
        fc.record({ value: fc.uint8Array({ maxLength: 100 }), version: arbitraryRecno }),
      ),
      { maxLength: 4 },
    )
    .map((pairs) => new Map<string, { value: Uint8Array; version: Recno }>(pairs)),
  conflict: fc.option(
    fc.record({
      of: arbitraryOid,
      base: arbitraryRecno,
      ours: fc.option(arbitrarySha256),
      theirs: fc.option(arbitrarySha256),
    }),
  ),
});

const outcome: fc.Arbitrary<Outcome> = fc.record({
  verdict: fc.constantFrom("applied", "merged", "copied", "refused"),
  reason: fc.option(fc.constantFrom(...(Object.keys(OUTCOME_REASONS) as OutcomeReason[]))),
  trace: arbitraryRecno,
  check,
  oid: arbitraryOid,
  nameVersion: arbitraryRecno,
  contentVersion: arbitraryRecno,
  attributesVersion: arbitraryRecno,
});

const rowsOf = <Row extends SnapshotRow>(row: fc.Arbitrary<Row>): fc.Arbitrary<SnapshotRow[]> =>
  fc.array(row, { maxLength: 4 });

/** The rows of a whole snapshot, in their order, with their end. */
export const arbitrarySnapshot: fc.Arbitrary<SnapshotRow[]> = fc
  .tuple(
    fc
      .record({
        kind: fc.constant("start" as const),
        position: fc.record({ recno: arbitraryRecno, hash: arbitrarySha256 }),
        oldestRecno: arbitraryRecno,
        received: fc.record({ recno: arbitraryRecno, check }),
      })
      .map((start): SnapshotRow[] => [start]),
    rowsOf(fc.record({ kind: fc.constant("object" as const), object: arbitraryTreeObject })),
    rowsOf(
      fc.record({
        kind: fc.constant("entry" as const),
        entry: fc.record({
          parent: arbitraryOid,
          name: arbitraryName,
          oid: arbitraryOid,
          version: arbitraryRecno,
        }),
      }),
    ),
    rowsOf(
      fc.record({ kind: fc.constant("alias" as const), alias: arbitraryOid, oid: arbitraryOid }),
    ),
    rowsOf(
      fc.record({
        kind: fc.constant("tombstone" as const),
        tombstone: fc.record({
          object: arbitraryTreeObject,
          parent: arbitraryOid,
          name: arbitraryName,
          removedAt: arbitraryRecno,
        }),
      }),
    ),
    rowsOf(
      fc.record({
        kind: fc.constant("outcome" as const),
        origin: fc.record({ peer: arbitraryPeerId, recno: arbitraryRecno }),
        outcome,
      }),
    ),
  )
  .map((groups) => {
    const rows = groups.flat();
    return [...rows, { kind: "end", rows: rows.length }];
  });
