/**
 * Makes a client's unsent records fewer before they are sent for the first time (design C8). A record
 * once sent is frozen: the caller never passes one again. Each rewrite leaves the tree that replaying
 * all of them gives; the property tests beside this file hold it to that.
 */

import { allAtOnce, eachInPieces, type InPieces } from "../in-pieces.ts";
import type { Oid, Recno } from "../kml/identity.ts";
import type { PendingRecord } from "../sync/pending-record.ts";
import { basesOf } from "./dependencies.ts";
import { type Followable, FollowedChanges, isFollowable, onBaseOf } from "./followed-changes.ts";
import { ObjectFates } from "./object-fates.ts";

/** What is sent for one or more own records; `record` is null where they cancel out. */
export interface Optimized {
  readonly covers: readonly Recno[];
  readonly record: PendingRecord | null;
}

/** What is sent for a run of records, and how that stands with what comes after them. */
export interface Optimization {
  readonly optimized: readonly Optimized[];
  /** Tells whether it would be another, had it been known that this record is not sent yet. */
  readonly isOtherWith: (record: PendingRecord) => boolean;
}

/** A SENT names each of them in 8 bytes, and no record is longer than 1 MiB: the first ones of more come to nothing. */
const MOST_COVERED = 4096;

/**
 * The records to send, in order, and the own records for which each of them stands.
 *
 * @param held records that are not to be sent yet, and may build on those that are
 */
export function optimize(
  records: readonly PendingRecord[],
  held: Iterable<PendingRecord> = [],
): readonly Optimized[] {
  return allAtOnce(optimizeInPieces(records, held)).optimized;
}

/** {@link optimize} with pauses. @param held is read last: some may be added meanwhile */
export function* optimizeInPieces(
  records: readonly PendingRecord[],
  held: Iterable<PendingRecord>,
): InPieces<Optimization> {
  const fates = new ObjectFates();
  const changes = new FollowedChanges();
  yield* eachInPieces(records, (record) => {
    fates.note(record);
    changes.note(record);
  });
  yield* eachInPieces(records, (record) => changes.noteBases(record));
  yield* eachInPieces(held, (record) => {
    if ("oid" in record.operation) fates.keep(record.operation.oid);
    changes.noteBases(record);
  });
  const optimized = yield* rewriteInPieces(records, fates, changes);
  const isOtherWith = ({ operation }: PendingRecord): boolean =>
    ("oid" in operation && fates.hasComeAndGone(operation.oid)) ||
    basesOf(operation).some(
      (base) => typeof base !== "number" && changes.followerOf(base.recno) !== undefined,
    );
  return { optimized, isOtherWith };
}

function* rewriteInPieces(
  records: readonly PendingRecord[],
  fates: ObjectFates,
  changes: FollowedChanges,
): InPieces<Optimized[]> {
  const result: Optimized[] = [];
  const carried = new Map<Recno, { covers: Recno[]; first: Followable }>();
  /** What comes to nothing of one object does so at once: half of it would be about an object that was never made. */
  const nothing = new Map<Oid, Recno[]>();
  yield* eachInPieces(records, (record) => {
    const { operation, recno } = record;
    if ("oid" in operation && fates.hasComeAndGone(operation.oid)) {
      const covers = nothing.get(operation.oid);
      if (covers === undefined) {
        const first = [recno];
        nothing.set(operation.oid, first);
        result.push({ covers: first, record: null });
      } else if (covers.push(recno) >= MOST_COVERED) {
        // Without these the rest is still about what was made here.
        result.push({ covers: covers.splice(1), record: null });
      }
      return;
    }
    const follower = changes.followerOf(recno);
    const before = carried.get(recno);
    if (follower !== undefined && isFollowable(operation)) {
      // One list for all of them, however often a file was written anew.
      const chain = before ?? { covers: [], first: operation };
      carried.delete(recno);
      carried.set(follower, chain);
      if (chain.covers.push(recno) < MOST_COVERED) return;
      if (operation.opcode === "CLOSE") {
        result.push({ covers: chain.covers, record: null });
        chain.covers = [];
        return;
      }
      // Who builds on attributes that came to nothing is not led to those below: these are sent.
      carried.delete(follower);
      const sent = { ...record, operation: onBaseOf(operation, chain.first) };
      result.push({ covers: chain.covers, record: sent });
    } else if (before !== undefined && isFollowable(operation)) {
      const merged = onBaseOf(operation, before.first);
      result.push({ covers: [...before.covers, recno], record: { ...record, operation: merged } });
    } else {
      result.push({ covers: [recno], record });
    }
  });
  return result;
}
