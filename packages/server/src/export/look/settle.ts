/**
 * Makes records of what programs did in the exported directory: compares what was found under a name
 * with what the log says, and logs the difference (design S2, D2). The tree is never touched here.
 *
 * All of it runs inside an open transaction of the ledger; a crash leaves nothing, and the next look
 * finds the same difference again.
 */

import { randomUUID } from "node:crypto";

import {
  conflictName,
  creationOf,
  isWithin,
  pathOf,
  type Entry,
  type Name,
  type Oid,
  type TreeObject,
} from "@izo/core";

import { isSameInode } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import type { FoundEntry } from "../tree/found-entry.ts";
import { noteOfLink } from "../tree/link-note.ts";
import { settleObject } from "./settle-object.ts";

/** What settling an entry leaves to be looked at. */
export interface Settled {
  readonly oid: Oid;
  /** A directory whose entries are not those known: list it, and all below. */
  readonly isUnlisted: boolean;
  /** A directory that had to give its name away, and is still to be found or missed; null where none had. */
  readonly waiting: Entry | null;
}

/** Logs what has to be logged so that the name means what was found. */
export function settleEntry(fileset: Fileset, found: FoundEntry): Settled {
  const { state, notes } = fileset.ledger;
  const standing = state.entry(found.parent, found.name);
  const known = knownObject(fileset, found);
  if (known !== undefined && known.oid === standing?.oid) {
    settleObject(fileset, known, found);
    return { oid: known.oid, isUnlisted: false, waiting: null };
  }
  if (known !== undefined) return settleKnown(fileset, known, found, standing);
  if (standing !== undefined) {
    const object = state.object(standing.oid)!;
    if (isEditOf(fileset, object, found)) {
      const isUnlisted = found.kind === "directory";
      settleObject(fileset, object, found);
      return { oid: object.oid, isUnlisted, waiting: null };
    }
    removeEntry(fileset, standing);
  }
  const oid = create(fileset, found);
  notes.put(oid, found.note);
  return { oid, isUnlisted: found.kind === "directory", waiting: null };
}

/** Logs the end of a name that is proven to be gone, and of all below it. Returns how many names went. */
export function removeEntry(fileset: Fileset, entry: Entry): number {
  const { state, notes } = fileset.ledger;
  const object = state.object(entry.oid)!;
  let removed = 1;
  if (object.kind === "directory") {
    for (const child of state.children(entry.oid)) removed += removeEntry(fileset, child);
  }
  const { parent, name, version: nameBase, oid } = entry;
  const path = pathOf(state, parent, name);
  if (object.kind === "directory") {
    fileset.ledger.author({ opcode: "RMDIR", oid, parent, name, path, nameBase });
  } else {
    const { contentVersion: contentBase } = object;
    const isLastName = state.links(oid).length === 1;
    fileset.ledger.author({
      opcode: "UNLINK",
      oid,
      parent,
      name,
      path,
      nameBase,
      contentBase,
      isLastName,
    });
  }
  if (state.object(oid) === undefined) notes.drop(oid);
  return removed;
}

/** The living object whose inode was found. */
function knownObject(fileset: Fileset, found: FoundEntry): TreeObject | undefined {
  const oid = fileset.ledger.notes.findInode(found.note);
  const object = oid === undefined ? undefined : fileset.ledger.state.object(oid);
  return object?.kind === found.kind ? object : undefined;
}

/** An inode that is known under another name: moved here, or one more name of it. */
function settleKnown(
  fileset: Fileset,
  known: TreeObject,
  found: FoundEntry,
  standing: Entry | undefined,
): Settled {
  const { state, notes } = fileset.ledger;
  const gone = state.links(known.oid).find((entry) => {
    const note = noteOfLink(fileset, entry);
    return note === undefined || !isSameInode(note, found.note);
  });
  const isCycle = known.kind === "directory" && isWithin(state, found.parent, known.oid);
  if (isCycle || (gone === undefined && known.kind === "directory")) {
    // Two moves that cross, seen half: what was found is made anew, and the old name ends when its
    // absence is seen.
    if (standing !== undefined) removeEntry(fileset, standing);
    const oid = create(fileset, found);
    notes.put(oid, found.note);
    return { oid, isUnlisted: true, waiting: null };
  }
  const keepsOid = standing !== undefined && isAtomicSave(fileset, known, found, standing);
  const displaced = standing === undefined || keepsOid ? null : makeRoom(fileset, standing, gone);
  const waiting = displaced?.circle === null ? displaced.entry : null;
  if (gone === undefined) {
    const path = pathOf(state, found.parent, found.name);
    const { parent, name } = found;
    fileset.ledger.author({ opcode: "LINK", oid: known.oid, parent, name, path, conflict: null });
    settleObject(fileset, known, found);
    return { oid: known.oid, isUnlisted: false, waiting };
  }
  move(fileset, gone, found, keepsOid ? standing : undefined);
  if (displaced !== null && displaced.circle !== null)
    closeCircle(fileset, displaced.entry, displaced.circle);
  const oid = keepsOid ? standing.oid : known.oid;
  if (keepsOid) notes.drop(known.oid);
  settleObject(fileset, state.object(oid)!, found);
  return { oid, isUnlisted: false, waiting };
}

/** Design D2: a new inode at an unchanged name is an edit of the object, unless it has other names. */
function isEditOf(fileset: Fileset, object: TreeObject, found: FoundEntry): boolean {
  if (object.kind !== found.kind) return false;
  if (object.kind === "directory") return true;
  const hasOtherNames = fileset.ledger.state.links(object.oid).length > 1;
  // Without a note the inode may well be the one that all its names share; the next name tells.
  if (hasOtherNames && fileset.ledger.notes.get(object.oid) !== undefined) return false;
  if (object.kind === "symlink") return object.target === found.target;
  return object.kind === "file" || (object.rdev === found.rdev && object.mode === found.mode);
}

/** Design D2, seen from the disk: a file that this server logged was renamed over another. */
function isAtomicSave(
  fileset: Fileset,
  moved: TreeObject,
  found: FoundEntry,
  standing: Entry,
): boolean {
  const { state } = fileset.ledger;
  const saved = state.object(standing.oid)!;
  if (moved.kind !== "file" || saved.kind !== "file" || moved.creator !== fileset.peer)
    return false;
  if (state.links(moved.oid).length > 1 || state.links(saved.oid).length > 1) return false;
  const isCircle = findCircle(fileset, standing, state.links(moved.oid)[0]!) !== null;
  return !isCircle && found.kind === "file";
}

/** What gave its name to something that was moved there. */
interface Displaced {
  /** Where it is meanwhile. */
  readonly entry: Entry;
  /** Where it and others are on disk, as {@link findCircle} says; null where nobody knows that yet. */
  readonly circle: readonly Entry[] | null;
}

/**
 * Frees a name for what was moved there. Of objects that changed places all moves are logged at once:
 * between two commits, what is aside is where nobody finds it, and a client's edit of it would end it. A
 * directory may turn up elsewhere yet and waits, under a name that it can keep: should a client have put
 * something into it, it comes back there.
 *
 * @returns null where the object is removed
 */
function makeRoom(fileset: Fileset, standing: Entry, from: Entry | undefined): Displaced | null {
  const { ledger, nowNs } = fileset;
  const { state } = ledger;
  const { oid, parent } = standing;
  const circle = from === undefined ? null : findCircle(fileset, standing, from);
  if (circle === null && state.object(oid)!.kind !== "directory") {
    removeEntry(fileset, standing);
    return null;
  }
  const isTaken = (name: Name) => state.entry(parent, name) !== undefined;
  const name =
    circle === null
      ? conflictName(standing.name, nowNs(), "server", isTaken)
      : (`.izo-aside-${randomUUID()}` as Name);
  move(fileset, standing, { parent, name }, undefined);
  return { entry: state.entry(parent, name)!, circle };
}

/** So many files are followed that took each other's names. */
const MOST_IN_CIRCLE = 16;

/**
 * The names among which objects went round, where what stood at one name now is on disk where the other object was, or
 * further on: at each what stood at the next, and at the last what stood at `standing`. Null where they did not.
 */
function findCircle(fileset: Fileset, standing: Entry, from: Entry): readonly Entry[] | null {
  const { state, notes } = fileset.ledger;
  const first = notes.get(standing.oid);
  if (first === undefined || isWithin(state, from.parent, standing.oid)) return null;
  const circle = [from];
  for (let at = from; circle.length <= MOST_IN_CIRCLE; circle.push(at)) {
    const now = noteOfLink(fileset, at);
    if (now === undefined) return null;
    if (isSameInode(first, now)) return circle;
    const oid = notes.findInode(now);
    const [next, another] = oid === undefined ? [] : state.links(oid);
    // Directories wait for each other instead; a file with several names may well have lost another one.
    const isFile = oid !== undefined && state.object(oid)?.kind !== "directory";
    if (!isFile || next === undefined || another !== undefined) return null;
    at = next;
  }
  return null;
}

/** Moves all but the first, which has gone from there: each to where it is, and what is aside last. */
function closeCircle(fileset: Fileset, aside: Entry, circle: readonly Entry[]): void {
  for (const [index, from] of circle.slice(1).entries())
    move(fileset, from, circle[index]!, undefined);
  move(fileset, aside, circle.at(-1)!, undefined);
}

function move(
  fileset: Fileset,
  from: Entry,
  to: { readonly parent: Oid; readonly name: Name },
  saved: Entry | undefined,
): void {
  const { state } = fileset.ledger;
  const victim = saved && state.object(saved.oid)!;
  fileset.ledger.author({
    opcode: "RENAME",
    oid: from.oid,
    contentBase: state.object(from.oid)!.contentVersion,
    fromParent: from.parent,
    fromName: from.name,
    fromPath: pathOf(state, from.parent, from.name),
    fromBase: from.version,
    toParent: to.parent,
    toName: to.name,
    toPath: pathOf(state, to.parent, to.name),
    victim:
      victim === undefined
        ? null
        : {
            oid: victim.oid,
            contentBase: victim.contentVersion,
            isLastName: state.links(victim.oid).length === 1,
          },
    keepsOid: victim !== undefined,
    conflict: null,
  });
}

function create(fileset: Fileset, found: FoundEntry): Oid {
  const { state } = fileset.ledger;
  const oid = randomUUID().replaceAll("-", "") as Oid;
  const path = pathOf(state, found.parent, found.name);
  fileset.ledger.author(creationOf({ ...found, oid, path, conflict: null }));
  settleObject(fileset, state.object(oid)!, found);
  return oid;
}
