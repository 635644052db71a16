/**
 * A tree received from the server takes the place of the authoritative one, with what waits on top of it: of the
 * same server, or of one that was restored from a backup (design P2). Used by `LocalReplica` alone, which reads its
 * state back afterwards.
 */
import {
  changesBetween,
  type ChangeSet,
  type Differing,
  forgottenObjects,
  lastCovered,
  loadPending,
  objectPath,
  type PeerId,
  type PendingLog,
  type PendingRecord,
  type Pulled,
  type ReceivedMark,
  type Recno,
  Replica,
  ROOT_OID,
  salvage,
  type Sha256,
  type SnapshotStart,
  type TreeObject,
} from "@izo/core";

import type { SnapshotDatabase } from "../../db/snapshot-database.ts";
import { NOTHING_ACKNOWLEDGED } from "../../db/standing.ts";
import { INTERSYNC } from "../../log/own-log.ts";
import type { LoadedReplica, ReplicaSources } from "../replica/load-replica.ts";

/** A tree received from the server, whole, ready to take the place of the old one. */
export interface ReceivedTree {
  readonly database: SnapshotDatabase;
  readonly start: SnapshotStart;
}

/** Tells whether a content is in the cache. */
export type HasContent = (sha256: Sha256) => boolean;

/**
 * Puts a received tree in the place of the authoritative one; what waits stays, on top of it.
 *
 * `isDiverged` says that the server holds records under this peer's id that were not made here.
 */
export function moveInReceived(
  sources: ReplicaSources,
  before: LoadedReplica,
  { database, start }: ReceivedTree,
): Pulled {
  const { log } = sources;
  const { pending, acknowledged } = loadPending(log.peer, log.read(), database.state);
  const outcomes = new Map(
    acknowledged.map((frozen) => [
      lastCovered(frozen),
      database.state.outcome(frozen.submitted.origin)!,
    ]),
  );
  const mark = later(before.replica.acknowledged, start.received);
  const differing = differingFrom(sources, before, database);
  keepForgotten(before, { database, start }, pending, differing);
  const replica = new Replica(database.state, start.position.recno, pending, mark);
  const moves = before.replica.contentMovesTo(replica, outcomes);
  const changes = changesBetween(before.replica, replica, differing, moves);
  const isDiverged = isForeign(sources, before, start.received);
  moveIn(sources, { database, start }, true, mark);
  return { changes, isDiverged };
}

/**
 * Puts the tree of a server that was restored from a backup in the place of the authoritative one. The own log is that
 * of a new peer id already, and has what only this client had of the time since.
 *
 * @param common the last recno that both logs share
 */
export function moveInRestored(
  sources: ReplicaSources,
  before: LoadedReplica,
  { database, start }: ReceivedTree,
  common: Recno,
): ChangeSet {
  const { log, standing } = sources;
  const { pending } = loadPending(log.peer, log.read(), database.state);
  const { recno } = start.position;
  const after = new Replica(database.state, recno, pending, NOTHING_ACKNOWLEDGED);
  const differing = differingFrom(sources, before, database);
  const changes = changesBetween(before.replica, after, differing, []);
  standing.forgetBeyond(common);
  moveIn(sources, { database, start }, false, NOTHING_ACKNOWLEDGED);
  return changes;
}

/** What only this client has of what its server has lost, and behind it what waits, as records of a new peer. */
export function salvageRecords(
  { options }: ReplicaSources,
  { state, pending }: LoadedReplica,
  { state: after }: SnapshotDatabase,
  common: Recno,
  hasContent: HasContent,
  newPeer: PeerId,
): PendingRecord[] {
  const nowNs = options.nowNs();
  const actor = INTERSYNC;
  return salvage({ before: state, after, common, pending, newPeer, nowNs, actor, hasContent });
}

/** Paths of files that were changed behind `common` and whose content is not here. */
export function pathsWithout(
  { state }: LoadedReplica,
  common: Recno,
  hasContent: HasContent,
): string[] {
  const isAbsent = ({ sha256, contentVersion }: TreeObject): boolean =>
    sha256 !== null && (contentVersion as number) > common && !hasContent(sha256);
  return [...state.files()]
    .filter(isAbsent)
    .map(({ oid }) => objectPath(state, oid))
    .toSorted();
}

/**
 * What the log has forgotten to be removed was known here: own records that wait, and those of a file
 * that a program still writes, show at its last place until the server has judged them.
 */
function keepForgotten(
  before: LoadedReplica,
  { database, start }: ReceivedTree,
  pending: PendingLog,
  { objects }: Differing,
): void {
  if (!before.hasTree) return;
  const { recno } = start.position;
  const { visible } = new Replica(database.state, recno, pending, NOTHING_ACKNOWLEDGED);
  const removedAt = Math.max(0, start.oldestRecno - 1) as Recno;
  const oids = new Set([...objects, ...before.replica.touchedObjects()]);
  for (const tombstone of forgottenObjects(before.replica.visible, visible, oids, removedAt)) {
    database.state.putTombstone(tombstone);
  }
}

/** Before the first tree only the root can have been looked at. */
function differingFrom(
  { index }: ReplicaSources,
  { hasTree }: LoadedReplica,
  database: SnapshotDatabase,
): Differing {
  if (hasTree) return database.compareWith(index);
  return { objects: [ROOT_OID], names: [...database.state.children(ROOT_OID)] };
}

function moveIn(
  { log, index, standing }: ReplicaSources,
  { database, start }: ReceivedTree,
  isSameLog: boolean,
  acknowledged: ReceivedMark,
): void {
  database.moveInto(index, isSameLog, () =>
    standing.write({ position: start.position, acknowledged }, log.peer),
  );
  // A power cut may take the index back, but not to where there was no tree: recovery would take all
  // that is in the cache for work of this machine.
  index.sqlite.pragma("wal_checkpoint(FULL)");
}

/** Tells whether the server holds a record under this id that this own log cannot have made. */
function isForeign(
  { log }: ReplicaSources,
  { pending }: LoadedReplica,
  { recno, check }: ReceivedMark,
): boolean {
  if (recno > log.head) return true;
  const waiting = pending.frozenRecord(recno);
  return waiting !== undefined && waiting.submitted.origin.check !== check;
}

function later(a: ReceivedMark, b: ReceivedMark): ReceivedMark {
  return b.recno > a.recno ? b : a;
}
