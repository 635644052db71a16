/**
 * What a client brings back to a server that was restored from a backup (design P2): the server's log
 * ends, or went on differently, before what this client has already replayed.
 *
 * The client knows the last position that both logs share. From its own tree it makes records for all
 * that came after: objects that the server no longer knows, contents, names and attributes that it has
 * only in an older version. They are judged like any other records, so clients that bring the same
 * things merge. What others removed after the shared position comes back: a phantom, never a hole.
 */

import type { PeerId, Recno, Sha256, TimeNs } from "../kml/identity.ts";
import { EMPTY_SHA256, NO_RECNO, ROOT_OID, type Oid } from "../kml/identity.ts";
import type { Base, ClientOperation, OriginId } from "../kml/operation.ts";
import type { Actor } from "../kml/record.ts";
import { withBases } from "../optimize/dependencies.ts";
import { resolveOid } from "../reintegrate/resolve.ts";
import { creationOf } from "../replay/creation.ts";
import { objectPath, pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import { entryKey, type Entry, type TreeObject, type Version } from "../replay/tree-object.ts";
import { renumberPending } from "./diverge.ts";
import type { PendingLog } from "./pending-log.ts";
import type { PendingRecord } from "./pending-record.ts";

/** A version of which nobody knows any more: it equals none, so what builds on it becomes a copy. */
const LOST_BASE: OriginId = { peer: "0".repeat(32) as PeerId, recno: 0 as Recno };

export interface SalvageInput {
  /** The authoritative state that this client had replayed. */
  readonly before: StateReader;
  /** The restored server's state, from its snapshot. */
  readonly after: StateReader;
  /** The last recno up to which both logs are known to be the same. */
  readonly common: Recno;
  readonly pending: PendingLog;
  /** The id under which the records are made: the old one's numbers mean nothing to the server. */
  readonly newPeer: PeerId;
  readonly nowNs: TimeNs;
  readonly actor: Actor;
  /** Tells whether the content is here; what is not can only come from another client. */
  hasContent(sha256: Sha256): boolean;
}

/** The records for the own log of the new id: first what was salvaged, then what was pending. */
export function salvage(input: SalvageInput): PendingRecord[] {
  const { before, after, common, pending, newPeer } = input;
  const salvager = new Salvager(input);
  salvager.walk(ROOT_OID);
  const offset = salvager.records.length;
  const follow = (base: Base): Base => {
    if (typeof base === "number") {
      return base <= common ? base : (salvager.standsFor(base) ?? LOST_BASE);
    }
    if (base.peer !== newPeer) {
      // An own record whose outcome only the lost log held.
      const outcome = before.outcome(base);
      if (outcome === undefined || after.outcome(base) !== undefined) return base;
      return follow(outcome.contentVersion);
    }
    return { peer: newPeer, recno: (base.recno + offset) as Recno };
  };
  const contents = new ContentOwners(input);
  const waiting = renumberPending(pending, newPeer).map((record) => ({
    ...record,
    recno: (record.recno + offset) as Recno,
    operation: withBases<ClientOperation>(contents.nameOwner(record), follow),
  }));
  return [...salvager.records, ...waiting];
}

/**
 * The objects to which waiting contents belong. Where only the lost log tells that what a CLOSE builds on
 * became a conflict copy, the object that it names is another by now: both would be shown as one, and what
 * is written to the one later would be taken for an edit of the other.
 */
class ContentOwners {
  readonly #input: SalvageInput;
  /** Renumbered CLOSEs that go on with another object than their authors named. */
  readonly #owners = new Map<Recno, Oid>();

  constructor(input: SalvageInput) {
    this.#input = input;
  }

  /** @param record a renumbered record of the new id; each is asked for once, in their order */
  nameOwner({ recno, operation }: PendingRecord): ClientOperation {
    if (operation.opcode !== "CLOSE") return operation;
    const oid = this.#ownerOf(operation.contentBase);
    if (oid === undefined) return operation;
    this.#owners.set(recno, oid);
    return { ...operation, oid };
  }

  #ownerOf(base: Base): Oid | undefined {
    if (typeof base === "number") return undefined;
    const { before, after, newPeer } = this.#input;
    if (base.peer === newPeer) return this.#owners.get(base.recno);
    const outcome = after.outcome(base) === undefined ? before.outcome(base) : undefined;
    return outcome === undefined ? undefined : resolveOid(outcome.oid, before);
  }
}

class Salvager {
  readonly records: PendingRecord[] = [];
  readonly #input: SalvageInput;
  /** Recno of the lost log → the record made here that says the same. */
  readonly #standIns = new Map<Recno, OriginId>();
  /** Objects made anew: a further name of one is a link. */
  readonly #made = new Set<Oid>();
  /** Names of the restored tree that were moved: each can be moved once. */
  readonly #movedFrom = new Set<string>();

  constructor(input: SalvageInput) {
    this.#input = input;
  }

  standsFor(lost: Recno): OriginId | undefined {
    return this.#standIns.get(lost);
  }

  /** Goes through a directory of the old tree and, from the top down, through those below it. */
  walk(directory: Oid): void {
    for (const entry of this.#input.before.children(directory)) {
      const object = this.#input.before.object(entry.oid);
      if (object === undefined) continue;
      this.#bringBack(entry, object);
      if (object.kind === "directory") this.walk(object.oid);
    }
  }

  #bringBack(entry: Entry, object: TreeObject): void {
    const { after } = this.#input;
    const oid = resolveOid(object.oid, after);
    const standing = after.object(oid);
    if (standing !== undefined) {
      this.#bringContent(object, oid, standing);
      this.#bringName(entry, oid);
      this.#bringAttributes(object, standing);
      this.#bringExtendedAttributes(object, standing);
    } else if (this.#made.has(oid)) {
      this.#addLink(entry, oid);
    } else if (after.tombstone(oid) === undefined) {
      this.#bringObject(entry, object);
    } else if (this.#isLost(object.contentVersion)) {
      this.#bringContent(object, oid, undefined);
    }
  }

  #bringObject(entry: Entry, object: TreeObject): void {
    if (!this.#isHere(object)) return;
    const { oid } = object;
    const { parent, name } = entry;
    const path = pathOf(this.#input.before, parent, name);
    const created = this.#add(
      creationOf({ ...object, parent, name, path }),
      object.attributesVersion,
    );
    this.#made.add(oid);
    this.#standIn(entry.version, created);
    if (object.sha256 !== null && object.sha256 !== EMPTY_SHA256) {
      this.#addClose(object, oid, created);
    } else {
      this.#standIn(object.contentVersion, created);
    }
    for (const [attribute, { value, version }] of object.xattrs) {
      this.#add({ opcode: "SETEXTATTR", oid, path, attribute, value, base: NO_RECNO }, version);
    }
  }

  #bringContent(object: TreeObject, oid: Oid, standing: TreeObject | undefined): void {
    if (object.kind !== "file" || !this.#isLost(object.contentVersion) || !this.#isHere(object))
      return;
    if (standing?.sha256 === object.sha256) return;
    this.#addClose(object, oid, this.#baseOn(standing?.contentVersion));
  }

  /** A name that the server has not got: the object was moved there, or got it beside others. */
  #bringName(entry: Entry, oid: Oid): void {
    const { before, after } = this.#input;
    if (!this.#isLost(entry.version)) return;
    const parent = resolveOid(entry.parent, after);
    if (after.entry(parent, entry.name)?.oid === oid) return;
    const from = after.links(oid).find((link) => this.#wasLeft(link, entry.oid));
    if (from === undefined) {
      this.#addLink(entry, oid);
      return;
    }
    this.#movedFrom.add(entryKey(from.parent, from.name));
    this.#add(
      {
        opcode: "RENAME",
        oid,
        contentBase: LOST_BASE,
        fromParent: from.parent,
        fromName: from.name,
        fromPath: pathOf(after, from.parent, from.name),
        fromBase: from.version,
        toParent: parent,
        toName: entry.name,
        toPath: pathOf(before, entry.parent, entry.name),
        victim: null,
        keepsOid: false,
        conflict: null,
      },
      entry.version,
    );
  }

  /** A name of the restored tree that the object no longer had when the log was lost. */
  #wasLeft(link: Entry, oid: Oid): boolean {
    if (this.#isLost(link.version) || this.#movedFrom.has(entryKey(link.parent, link.name))) {
      return false;
    }
    return this.#input.before.entry(link.parent, link.name)?.oid !== oid;
  }

  #addLink({ parent, name, version }: Entry, oid: Oid): void {
    const path = pathOf(this.#input.before, parent, name);
    const place = { parent: resolveOid(parent, this.#input.after), name, path };
    this.#add({ opcode: "LINK", oid, ...place, conflict: null }, version);
  }

  #bringAttributes(object: TreeObject, standing: TreeObject): void {
    const { mode, uid, gid } = object;
    if (!this.#isLost(object.attributesVersion) || this.#isLost(standing.attributesVersion)) return;
    if (standing.mode === mode && standing.uid === uid && standing.gid === gid) return;
    const attributes = { base: standing.attributesVersion, mode, uid, gid };
    const path = objectPath(this.#input.after, standing.oid);
    this.#add(
      { opcode: "SETATTR", oid: standing.oid, path, attributes, times: null },
      object.attributesVersion,
    );
  }

  #bringExtendedAttributes(object: TreeObject, standing: TreeObject): void {
    const path = objectPath(this.#input.after, standing.oid);
    for (const [attribute, { value, version }] of object.xattrs) {
      const there = standing.xattrs.get(attribute);
      const base = there?.version ?? NO_RECNO;
      if (!this.#isLost(version) || this.#isLost(base)) continue;
      this.#add({ opcode: "SETEXTATTR", oid: standing.oid, path, attribute, value, base }, version);
    }
  }

  #addClose(object: TreeObject, oid: Oid, contentBase: Base): void {
    const { sizeBytes, mtimeNs, sha256 } = object;
    const entry = this.#input.before.links(object.oid)[0];
    const path = entry === undefined ? "/" : pathOf(this.#input.before, entry.parent, entry.name);
    this.#add(
      { opcode: "CLOSE", oid, path, contentBase, sizeBytes, mtimeNs, sha256, conflict: null },
      object.contentVersion,
    );
  }

  #add(operation: ClientOperation, lost: Version): OriginId {
    const { actor, nowNs, newPeer } = this.#input;
    const recno = (this.records.length + 1) as Recno;
    this.records.push({ recno, authorTimeNs: nowNs, actor, operation });
    const origin = { peer: newPeer, recno };
    this.#standIn(lost, origin);
    return origin;
  }

  /** A content stands for its record before attributes or a name that the same record established. */
  #standIn(lost: Version, origin: OriginId): void {
    if (typeof lost === "number" && !this.#standIns.has(lost)) this.#standIns.set(lost, origin);
  }

  #baseOn(version: Version | undefined): Base {
    return version === undefined || this.#isLost(version) ? LOST_BASE : version;
  }

  #isLost(version: Version): boolean {
    return typeof version === "number" && version > this.#input.common;
  }

  #isHere({ sha256 }: TreeObject): boolean {
    return sha256 === null || sha256 === EMPTY_SHA256 || this.#input.hasContent(sha256);
  }
}
