/**
 * Makes a client's unsent records fewer before they are sent for the first time (design C8). A record
 * once sent is frozen: the caller never passes one again. Each rewrite leaves the tree that replaying
 * all of them gives; the property tests beside this file hold it to that.
 */

import type { Oid, Recno } from "../kml/identity.ts";
import type { Base, ClientOperation, CloseOperation } from "../kml/operation.ts";
import type { PendingRecord } from "../sync/pending-record.ts";
import { basesOf } from "./dependencies.ts";

/** What is sent for one or more own records; `record` is null where they cancel out. */
export interface Optimized {
  readonly covers: readonly Recno[];
  readonly record: PendingRecord | null;
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
  held: readonly PendingRecord[] = [],
): Optimized[] {
  const cancelled = objectsThatCameAndWent(records, held);
  const lastClose = closesThatAreFollowed(records, held);
  const result: Optimized[] = [];
  const carried = new Map<Recno, { covers: Recno[]; first: CloseOperation }>();
  for (const record of records) {
    const { operation, recno } = record;
    if ("oid" in operation && cancelled.has(operation.oid)) {
      result.push({ covers: [recno], record: null });
      continue;
    }
    const follower = lastClose.get(recno);
    const before = carried.get(recno);
    if (follower !== undefined && operation.opcode === "CLOSE") {
      // One list for all of them, however often a file was written anew.
      const chain = before ?? { covers: [], first: operation };
      carried.delete(recno);
      carried.set(follower, chain);
      if (chain.covers.push(recno) < MOST_COVERED) continue;
      result.push({ covers: chain.covers, record: null });
      chain.covers = [];
    } else if (before !== undefined && operation.opcode === "CLOSE") {
      const merged = { ...operation, contentBase: before.first.contentBase };
      result.push({ covers: [...before.covers, recno], record: { ...record, operation: merged } });
    } else {
      result.push({ covers: [recno], record });
    }
  }
  return result;
}

/**
 * Objects that these records make and remove again, with nothing left of them elsewhere: no second
 * name, no save over another object, and no content that the removal had not seen.
 */
function objectsThatCameAndWent(
  records: readonly PendingRecord[],
  held: readonly PendingRecord[],
): Set<Oid> {
  const fates = new Map<Oid, "made" | "gone">();
  const kept = new Set<Oid>();
  /** The record that gave each object the content that it has now. */
  const contents = new Map<Oid, Recno>();
  // What is brought back to a restored server is not always what its author's own records build on.
  const buildOn = (oid: Oid, base: Base): void => {
    if (!isOwn(base, contents.get(oid))) kept.add(oid);
  };
  for (const { operation, recno } of records) {
    // It came back: somebody else kept it, and its author went on with it.
    if ("oid" in operation && fates.get(operation.oid) === "gone") kept.add(operation.oid);
    switch (operation.opcode) {
      case "CREATE":
      case "SYMLINK":
      case "MKNOD":
        if (fates.has(operation.oid)) kept.add(operation.oid);
        fates.set(operation.oid, "made");
        contents.set(operation.oid, recno);
        break;
      case "CLOSE":
        buildOn(operation.oid, operation.contentBase);
        contents.set(operation.oid, recno);
        break;
      case "UNLINK":
        buildOn(operation.oid, operation.contentBase);
        // Somebody else gave it another name, after it was brought back to a restored server.
        if (!operation.isLastName) kept.add(operation.oid);
        if (fates.get(operation.oid) === "made") fates.set(operation.oid, "gone");
        break;
      case "LINK":
        kept.add(operation.oid);
        break;
      case "RENAME":
        if (operation.victim !== null) kept.add(operation.oid).add(operation.victim.oid);
        break;
      default:
    }
  }
  for (const { operation } of held) if ("oid" in operation) kept.add(operation.oid);
  return new Set(
    [...fates].filter(([oid, fate]) => fate === "gone" && !kept.has(oid)).map(([oid]) => oid),
  );
}

/**
 * For each CLOSE that the next CLOSE of the same object makes superfluous, the recno of that next one.
 * It is needed where anything else builds on its content: that would build on the next one instead, and
 * two edits of one content would follow each other.
 */
function closesThatAreFollowed(
  records: readonly PendingRecord[],
  held: readonly PendingRecord[],
): Map<Recno, Recno> {
  const followed = new Map<Recno, Recno>();
  const openClose = new Map<Oid, PendingRecord>();
  /** The object of each of them: ten thousand wait while an archive is unpacked. */
  const objects = new Map<Recno, Oid>();
  const end = (oid: Oid | undefined): void => {
    const close = oid === undefined ? undefined : openClose.get(oid);
    if (close === undefined) return;
    openClose.delete(oid!);
    objects.delete(close.recno);
  };
  for (const record of records) {
    const { operation, recno } = record;
    if (operation.opcode === "CLOSE") {
      const previous = openClose.get(operation.oid);
      if (previous !== undefined && buildsOn(operation, previous))
        followed.set(previous.recno, recno);
      end(operation.oid);
      openClose.set(operation.oid, record);
      objects.set(recno, operation.oid);
      continue;
    }
    // What else is done to an object stays behind the content that was there: where somebody has removed
    // the object meanwhile, that content brings it back, and a LINK before it would come to nothing.
    if ("oid" in operation) end(operation.oid);
    if (operation.opcode === "RENAME") end(operation.victim?.oid);
    for (const base of basesOf(operation))
      if (typeof base !== "number") end(objects.get(base.recno));
  }
  for (const { operation, recno } of [...records, ...held]) {
    for (const base of basesOf(operation)) {
      if (typeof base !== "number" && followed.get(base.recno) !== recno)
        followed.delete(base.recno);
    }
  }
  return followed;
}

function buildsOn(operation: ClientOperation, record: PendingRecord): boolean {
  return basesOf(operation).some((base) => isOwn(base, record.recno));
}

function isOwn(base: Base, recno: Recno | undefined): boolean {
  return typeof base !== "number" && base.recno === recno;
}
