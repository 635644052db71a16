/**
 * What a record means to a tree: the one function that the server, every client and the simulation
 * use to change a state.
 *
 * It is total. On the authoritative log each record fits the state exactly, because the server judged
 * it. A client also replays its own pending records over a state that has moved on; there a record
 * does what its author saw it do: it hides what stands in its way and brings back what it needs, until
 * its outcome is known (design C5).
 */

import { IzoError } from "../errors.ts";
import { EMPTY_SHA256, type Oid, type PeerId, type Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ConflictNote, Operation, RenameOperation } from "../kml/operation.ts";
import type { ServerRecord } from "../kml/record.ts";
import { conflictName } from "../reintegrate/conflict-name.ts";
import { outcomeOfTrace } from "../reintegrate/outcome.ts";
import { KIND_OF } from "./creation.ts";
import { linkCount } from "./link-count.ts";
import { isWithin } from "./path-of.ts";
import type { MutableState } from "./state.ts";
import {
  type Entry,
  NO_XATTRS,
  type ObjectKind,
  type TreeObject,
  type Version,
} from "./tree-object.ts";

/** A log that does not go on where the state stands. */
export class ReplayGapError extends IzoError {
  constructor(recno: Recno, head: Recno) {
    super(
      "replay-gap",
      `Cannot replay record ${recno}: the state stands at ${head}, expected ${head + 1}`,
      { recno, head },
    );
  }
}

/** A record that no server logs: it would put a name where there can be none. Nothing may follow it. */
export class ImpossibleRecordError extends IzoError {
  constructor(reason: string) {
    super("impossible-record", `Cannot replay the record: ${reason}`, { reason });
  }
}

/**
 * Replays one record of the server's KML and returns the recno at which the state then stands. A
 * record that the state already holds changes nothing, so replaying twice equals replaying once.
 *
 * @throws ReplayGapError when records between `head` and this one are missing; ImpossibleRecordError,
 *   which leaves the state as it was
 */
export function replay(record: ServerRecord, state: MutableState, head: Recno): Recno {
  if (record.recno <= head) return head;
  if (record.recno !== head + 1) throw new ReplayGapError(record.recno, head);
  requireKnownParent(record.operation, state);
  applyOperation(record.operation, record.recno, record.origin.peer, state);
  const outcome = outcomeOfTrace(record);
  if (outcome !== null) state.putOutcome(record.origin, outcome);
  return record.recno;
}

/**
 * Changes a state as one operation says.
 *
 * @param at the version that the operation establishes: its recno, or the client's own record
 * @param creator the peer that made the operation
 */
export function applyOperation(
  operation: Operation,
  at: Version,
  creator: PeerId,
  state: MutableState,
): void {
  switch (operation.opcode) {
    case "CREATE":
    case "MKDIR":
    case "SYMLINK":
    case "MKNOD":
      // Somebody has brought it back to a restored server, perhaps elsewhere: it is not made twice.
      if (state.object(operation.oid) !== undefined) return;
      reviveDirectory(operation.parent, at, state);
      requireNotBelowItself(operation.oid, state);
      requireDirectory(operation.parent, state);
      makeRoom(operation.parent, operation.name, at, state);
      state.removeTombstone(operation.oid);
      state.putObject(
        {
          oid: operation.oid,
          kind: KIND_OF[operation.opcode],
          creator,
          mode: operation.mode,
          uid: operation.uid,
          gid: operation.gid,
          attributesVersion: at,
          sizeBytes: 0,
          mtimeNs: operation.mtimeNs,
          sha256: operation.opcode === "CREATE" ? EMPTY_SHA256 : null,
          contentVersion: at,
          target: operation.opcode === "SYMLINK" ? operation.target : "",
          rdev: operation.opcode === "MKNOD" ? operation.rdev : 0,
          xattrs: NO_XATTRS,
          conflict: operation.conflict,
        },
        at,
      );
      putName(operation, at, state);
      return;
    case "LINK": {
      const object = state.object(operation.oid);
      // A directory has one name. Another one could lie below itself, and no way would lead out of it.
      if (object === undefined || object.kind === "directory") return;
      reviveDirectory(operation.parent, at, state);
      requireDirectory(operation.parent, state);
      // Others have moved it there: to make room for it would take its last name.
      if (state.entry(operation.parent, operation.name)?.oid === operation.oid) return;
      makeRoom(operation.parent, operation.name, at, state);
      putName(operation, at, state);
      noteConflict(operation, at, state);
      return;
    }
    case "UNLINK":
    case "RMDIR": {
      const entry = state.entry(operation.parent, operation.name);
      if (entry?.oid !== operation.oid) return;
      // Others have put something into it meanwhile: the server refuses the removal, and what this client
      // writes in there would show nowhere until then.
      if (state.hasChildren(operation.oid)) return;
      const mayBeLast = operation.opcode === "RMDIR" || operation.isLastName;
      if (mayBeLast || hasOtherName(operation.oid, state)) detach(entry, at, state);
      return;
    }
    case "RENAME":
      rename(operation, at, state);
      return;
    case "CLOSE": {
      const object = revive(operation.oid, at, state);
      if (object === undefined) return;
      const { sizeBytes, mtimeNs, sha256 } = operation;
      state.putObject({ ...object, sizeBytes, mtimeNs, sha256, contentVersion: at }, at);
      return;
    }
    case "SETATTR": {
      const object = state.object(operation.oid);
      if (object === undefined) return;
      const { attributes, times } = operation;
      state.putObject(
        {
          ...object,
          ...(attributes && {
            mode: attributes.mode,
            uid: attributes.uid,
            gid: attributes.gid,
            attributesVersion: at,
          }),
          ...(times && { mtimeNs: times.mtimeNs }),
        },
        at,
      );
      return;
    }
    case "SETEXTATTR":
    case "DELEXTATTR": {
      const object = state.object(operation.oid);
      if (object === undefined) return;
      const xattrs = new Map(object.xattrs);
      if (operation.opcode === "SETEXTATTR")
        xattrs.set(operation.attribute, { value: operation.value, version: at });
      else xattrs.delete(operation.attribute);
      state.putObject({ ...object, xattrs }, at);
      return;
    }
    case "ALIAS":
      state.putAlias(operation.alias, operation.oid, at);
      return;
    case "NOOP":
    case "OUTCOME":
    case "TRUNCATED":
    case "SEALED":
    case "CANCELLED":
    case "SENT":
      return;
  }
}

function rename(operation: RenameOperation, at: Version, state: MutableState): void {
  const object = revive(operation.oid, at, state);
  if (object === undefined) return;
  const from = fromEntry(operation, state);
  reviveDirectory(operation.toParent, at, state);
  requireDirectory(operation.toParent, state);
  // Somebody has moved the new place below this directory meanwhile: the server will refuse the move.
  if (object.kind === "directory" && isWithin(state, operation.toParent, object.oid)) return;
  const target = state.entry(operation.toParent, operation.toName);
  // Already there: the log holds this very move, or the two objects have merged.
  if (target?.oid === operation.oid) return;
  // A name that the temporary file has besides, as where an own link to it became a copy, keeps it: a save is a
  // move then, as the server judges it. Else that name would lead to nothing.
  const mayEnd = operation.keepsOid && !hasOtherName(operation.oid, state);
  if (mayEnd && target !== undefined && target.oid === operation.victim?.oid) {
    if (from !== undefined) state.removeEntry(from.parent, from.name, at);
    saveOver(object, target.oid, at, state);
    return;
  }
  if (from !== undefined) state.removeEntry(from.parent, from.name, at);
  const { victim } = operation;
  const isMeant =
    target !== undefined &&
    target.oid === victim?.oid &&
    (victim.isLastName || hasOtherName(target.oid, state)) &&
    !state.hasChildren(target.oid);
  if (isMeant) detach(target, at, state);
  else makeRoom(operation.toParent, operation.toName, at, state);
  state.putEntry(
    { parent: operation.toParent, name: operation.toName, oid: operation.oid, version: at },
    at,
  );
  noteConflict(operation, at, state);
}

/** An object that had to take a copy's name says from then on what it conflicts with. */
function noteConflict(
  { oid, conflict }: { readonly oid: Oid; readonly conflict: ConflictNote | null },
  at: Version,
  state: MutableState,
): void {
  const object = state.object(oid);
  if (conflict !== null && object !== undefined) state.putObject({ ...object, conflict }, at);
}

/** Atomic save (design D2): the saved object takes over all that was written to the temporary one. */
function saveOver(temporary: TreeObject, savedOid: Oid, at: Version, state: MutableState): void {
  const saved = state.object(savedOid);
  if (saved === undefined) return;
  if (saved.kind !== "file" || temporary.kind !== "file") {
    throw new ImpossibleRecordError(`it saves a ${temporary.kind} over a ${saved.kind}`);
  }
  state.putObject(
    {
      ...temporary,
      oid: savedOid,
      creator: saved.creator,
      conflict: saved.conflict,
      contentVersion: at,
      attributesVersion: at,
    },
    at,
  );
  state.removeObject(temporary.oid, at);
  state.putAlias(temporary.oid, savedOid, at);
}

/** The name that a RENAME takes away; in a state that moved on, the only one that the object has now. */
function fromEntry(operation: RenameOperation, state: MutableState): Entry | undefined {
  const named = state.entry(operation.fromParent, operation.fromName);
  if (named?.oid === operation.oid) return named;
  const links = state.links(operation.oid);
  return links.length === 1 ? links[0] : undefined;
}

function putName(
  operation: { parent: Oid; name: Name; oid: Oid },
  at: Version,
  state: MutableState,
): void {
  state.putEntry(
    { parent: operation.parent, name: operation.name, oid: operation.oid, version: at },
    at,
  );
}

/**
 * Takes a name from what stands in the way of a pending record of this client; on the authoritative log
 * nothing does. It is hidden until the record's outcome is known, but not where work of this client is in
 * it: the record of that work waits too, and its content would be nowhere.
 */
function makeRoom(parent: Oid, name: Name, at: Version, state: MutableState): void {
  const entry = state.entry(parent, name);
  if (entry === undefined) return;
  const object = state.object(entry.oid);
  if (object === undefined || !holdsWork(object, state) || linkCount(state, object.oid, 2) > 1) {
    detach(entry, at, state);
    return;
  }
  // Before it leaves: what stands beside already would get its own name again, and lose it to the record.
  const beside = nameBeside(entry, object, state);
  state.removeEntry(parent, name, at);
  state.putEntry({ ...entry, name: beside }, at);
}

/** Tells whether a pending record may be about the object, or about something below it. */
function holdsWork({ kind, oid, contentVersion }: TreeObject, state: MutableState): boolean {
  return kind === "directory" ? state.hasChildren(oid) : typeof contentVersion !== "number";
}

/** Where something is shown while a pending record has its name: as the server's copy. */
function nameBeside(
  { parent, name }: { readonly parent: Oid; readonly name: Name },
  { mtimeNs }: TreeObject,
  state: MutableState,
): Name {
  return conflictName(name, mtimeNs, "server", (other) => state.entry(parent, other) !== undefined);
}

/**
 * Who saw other names of an object meant only one of them to go. Where those are gone meanwhile, the
 * server refuses the removal, and what was written here would be nowhere until then.
 */
function hasOtherName(oid: Oid, state: MutableState): boolean {
  return linkCount(state, oid, 2) > 1;
}

/** Removes a name; with the last one the object becomes a tombstone. */
function detach(entry: Entry, at: Version, state: MutableState): void {
  state.removeEntry(entry.parent, entry.name, at);
  if (linkCount(state, entry.oid, 1) > 0) return;
  const object = state.object(entry.oid);
  if (object === undefined) return;
  state.removeObject(entry.oid, at);
  state.putTombstone({ object, parent: entry.parent, name: entry.name, removedAt: at });
}

/** The object, brought back to its last place where it was removed (only for a client's pending records). */
function revive(oid: Oid, at: Version, state: MutableState): TreeObject | undefined {
  const living = state.object(oid);
  if (living !== undefined) return living;
  const tombstone = state.tombstone(oid);
  if (tombstone === undefined) return undefined;
  reviveDirectory(tombstone.parent, at, state);
  const { object, parent } = tombstone;
  const isTaken = state.entry(parent, tombstone.name) !== undefined;
  const name = isTaken ? nameBeside(tombstone, object, state) : tombstone.name;
  state.removeTombstone(oid);
  state.putObject(object, at);
  state.putEntry({ parent, name, oid, version: at }, at);
  return object;
}

/**
 * Names stand in directories and nowhere else. A client that made one in a symlink would make it where
 * that leads: outside of its cache.
 */
function requireDirectory(oid: Oid, state: MutableState): void {
  const kind = kindOf(oid, state);
  if (kind === undefined || kind === "directory") return;
  throw new ImpossibleRecordError(`it puts a name into ${oid}, which is a ${kind}`);
}

/**
 * A removed object that came back for the directory in which it is made anew stood above that: made there,
 * it would be in a ring, and no way would lead out of it.
 */
function requireNotBelowItself(oid: Oid, state: MutableState): void {
  if (state.object(oid) === undefined) return;
  throw new ImpossibleRecordError(`it makes ${oid} in itself, or in a directory below it`);
}

/** What is put into a directory that is yet to come could stand above it, and both were in a ring. */
function requireKnownParent(operation: Operation, state: MutableState): void {
  const parent = "parent" in operation ? operation.parent : undefined;
  const oid = operation.opcode === "RENAME" ? operation.toParent : parent;
  if (oid === undefined || state.object(oid) !== undefined) return;
  const isOldName = operation.opcode === "UNLINK" || operation.opcode === "RMDIR";
  if (isOldName || state.tombstone(oid) !== undefined) return;
  throw new ImpossibleRecordError(`it puts a name into ${oid}, which was never made`);
}

function reviveDirectory(oid: Oid, at: Version, state: MutableState): void {
  if (kindOf(oid, state) === undefined) revive(oid, at, state);
}

function kindOf(oid: Oid, state: MutableState): ObjectKind | undefined {
  return state.kind === undefined ? state.object(oid)?.kind : state.kind(oid);
}
