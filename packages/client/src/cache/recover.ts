/**
 * Brings cache tree, visible tree and log together after a stop that was not clean (design C6).
 *
 * The cache was changed only through records that were logged first and through replay, so three
 * things can differ: an operation that was logged and not done is done now; a replay that was cut off
 * is finished; and content or names of which no record tells (written and not closed yet, or the log's
 * tail was lost with the power) become records. After a power cut a file can also hold less than its
 * record says: what was there before then stays. What is missing on disk is made again, and is never
 * taken for a removal.
 *
 * Worst outcome: an edit whose record was lost is logged as an edit of the version its mark names, and
 * becomes a conflict copy where that is out of date.
 */
import { readdirSync, rmSync, truncateSync } from "node:fs";

import {
  type Actor,
  type Base,
  bytesToText,
  type ClientOperation,
  type CloseOperation,
  creationOf,
  EMPTY_SHA256,
  type Name,
  type NameChange,
  NO_RECNO,
  type ObjectChange,
  type Oid,
  type Recno,
  resolveOid,
  type TreeObject,
} from "@izo/core";
import type { Stat } from "@izo/sys";

import { contentOid } from "../sync/content-oid.ts";
import type { ChangeApplier } from "./apply-changes.ts";
import type { CacheNode } from "./cache-node.ts";
import { osPath } from "./cache-paths.ts";
import { type CacheTree, isRemovedContent, kindOf } from "./cache-tree.ts";
import type { ChangeLog } from "./change-log.ts";
import { dropUnwritten } from "./drop-unwritten.ts";
import { examineContent } from "./examine-content.ts";
import { takeBackHalfExchange } from "./half-exchange.ts";
import { type InodeForm, shownOwner } from "./inode-form.ts";
import { ABSENT, type Holding, type LocalHolding, type ObjectMark, WHOLE } from "./object-mark.ts";
import type { OwnVersions } from "./own-versions.ts";
import { provenHolding } from "./proven-holding.ts";
import { isBlank } from "./rescue.ts";
import { xattrsOf } from "./xattr-records.ts";

export interface RecoveryOptions {
  readonly tree: CacheTree;
  readonly versions: OwnVersions;
  readonly applier: ChangeApplier;
  readonly log: ChangeLog;
  readonly newOid: () => Oid;
  /**
   * The machine has started anew since: contents that were fetched may be zeros or cut off under a mark
   * that says that they are here, and are hashed again (docs/decisions/0007).
   */
  readonly isPowerLost: boolean;
}

/** What recovery found, for the log of the mount. */
export interface RecoveryReport {
  /** Names and objects that replay had still to do. */
  readonly completed: number;
  /** Paths of contents and names that became records. */
  readonly logged: readonly string[];
  /** Paths whose last content a power cut took: they show the one before, or none where that was synced. */
  readonly dropped: readonly string[];
}

/** Author of the records that recovery makes: the process that did it cannot be known any more. */
const RECOVERY: Omit<Actor, "uid" | "gid"> = { groups: [], command: "izo recovery" };

/** No object has this oid. */
const NOBODY = "0".repeat(32) as Oid;

/** Compares and repairs; idempotent, so that a crash in it costs nothing. Takes a stat per cached inode. */
export function recoverTree(options: RecoveryOptions): RecoveryReport {
  return new Recovery(options).run();
}

class Recovery {
  readonly #options: RecoveryOptions;
  /** The last own record that the crash has left. */
  readonly #ownHead: Recno;
  readonly #names: NameChange[] = [];
  readonly #objects: ObjectChange[] = [];
  readonly #logged: string[] = [];
  readonly #dropped: string[] = [];
  readonly #reinstated: CacheNode[] = [];

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#ownHead = options.log.ownHead;
  }

  get #form(): InodeForm {
    return this.#options.tree.form;
  }

  run(): RecoveryReport {
    const { tree, applier } = this.#options;
    takeBackHalfExchange(this.#options.log);
    this.#takeBackCloses();
    this.#takeLimbo();
    if (tree.nodes.root.isPresent) this.#walk(tree.nodes.root);
    for (const node of this.#reinstated) {
      tree.reinstate(node);
      tree.setOid(node, node.oid);
    }
    applier.apply({ names: this.#names, objects: this.#objects, moves: [] });
    const completed = this.#names.length + this.#objects.length;
    return { completed, logged: this.#logged, dropped: this.#dropped };
  }

  /**
   * A removal was cut off before it took back the CLOSEs that nobody can seal any more (design D9). What
   * nobody knows was not removed: the index may have lost its end, and the log brings it again.
   */
  #takeBackCloses(): void {
    const { log, tree } = this.#options;
    for (const { recno, operation } of log.unsealed()) {
      if (operation.opcode !== "CLOSE") continue;
      const { visible } = tree;
      const oid = contentOid(operation, visible);
      if (visible.object(oid) === undefined && isKnown(oid, visible)) log.cancel(recno);
    }
  }

  /** What was on its way is claimed by its name when the changes are applied, or removed there. */
  #takeLimbo(): void {
    const { tree } = this.#options;
    let removedHere: ReadonlySet<Oid> | undefined;
    for (const { name, path, stat } of this.#inodesIn(tree.nodes.pathOf(tree.nodes.limbo))) {
      const mark = this.#readMark(path);
      if (isRemovedContent(name)) {
        removedHere ??= this.#removedHere();
        if (mark === undefined || removedHere.has(mark.oid) || !this.#isBack(mark)) {
          rmSync(osPath(path));
          continue;
        }
      }
      if (mark === undefined && !isBlank(path, kindOf(stat.mode))) {
        tree.rescue(path);
        continue;
      }
      // Without a mark it was still in the making: nobody claims it.
      const oid = mark === undefined ? NOBODY : resolveOid(mark.oid, tree.visible);
      const holding = mark?.holding ?? ABSENT;
      const node = tree.adopt(tree.nodes.limbo, name, { oid, holding }, stat);
      this.#forgetLost(node);
      if (node.kind === "directory" && node.isPresent) this.#walk(node);
      else if (holding.state === "local") this.#checkLimbo(node, stat, holding);
    }
  }

  /** A removed content has its object again, or will have it when the log has been replayed. */
  #isBack({ oid, holding }: ObjectMark): boolean {
    const { tree, versions } = this.#options;
    if (tree.visible.object(oid) !== undefined) return true;
    return holding.state === "local" && versions.isAhead(holding.base);
  }

  /**
   * The objects that an own record removed. The visible tree does not say so while the index is behind:
   * a removal of a name that it does not know in that version yet is put off until the log is replayed.
   */
  #removedHere(): Set<Oid> {
    const { unsent, frozen } = this.#options.log.pending;
    const removed = new Set<Oid>();
    for (const operation of [
      ...unsent.map((record) => record.operation),
      ...frozen.map((record) => record.submitted.operation),
    ]) {
      if (operation.opcode === "UNLINK") removed.add(operation.oid);
      else if (operation.opcode === "RENAME" && operation.victim !== null && !operation.keepsOid)
        removed.add(operation.victim.oid);
    }
    return removed;
  }

  #walk(directory: CacheNode): void {
    const { tree } = this.#options;
    const seen = new Set<Name>();
    for (const { name, path, stat } of this.#inodesIn(tree.nodes.pathOf(directory))) {
      if (this.#isForeign(path, stat) || this.#isHollow(directory, name, path, stat)) {
        rmSync(osPath(path));
        continue;
      }
      if (this.#putBy(directory, name, path, stat)) continue;
      seen.add(name);
      const node = this.#identify(directory, name, path, stat);
      if (node.kind === "directory" && node.isPresent) this.#walk(node);
      this.#checkObject(node, stat);
      // Asked last: content can have turned out to be a conflict copy's.
      const wanted = tree.visible.entry(directory.oid, name);
      if (wanted?.oid !== node.oid) this.#changeName(directory.oid, name);
    }
    for (const { name } of tree.visible.children(directory.oid)) {
      if (!seen.has(name)) this.#changeName(directory.oid, name);
    }
  }

  /**
   * What came from the server and belongs to an object that the index does not know any more, because it
   * lost its end: the log brings it again, and no work is in it.
   */
  #isForeign(path: string, stat: Stat): boolean {
    const mark = kindOf(stat.mode) === "file" ? this.#form.readMark(path) : undefined;
    const { visible } = this.#options.tree;
    if (mark === undefined || isKnown(resolveOid(mark.oid, visible), visible)) return false;
    const { holding } = mark;
    if (holding.state === "content") return examineContent(path).sha256 === holding.sha256;
    return holding.state === "absent";
  }

  /**
   * A power cut can take the target of a symlink that a file stands for (`mapped-form.ts`). The record
   * has it, and the symlink is made again.
   */
  #isHollow(directory: CacheNode, name: Name, path: string, stat: Stat): boolean {
    if (!this.#options.isPowerLost || kindOf(stat.mode) !== "symlink") return false;
    const { visible } = this.#options.tree;
    // Without a mark it was cut off in its making, under the name that its record gave it.
    const marked = this.#form.readMark(path)?.oid ?? visible.entry(directory.oid, name)?.oid;
    const object = marked && visible.object(resolveOid(marked, visible));
    if (object?.kind !== "symlink") return false;
    return bytesToText(this.#form.readlink(path)) !== object.target;
  }

  /**
   * What was written here to a file that the index does not know any more, because it lost its end: it
   * waits in limbo for the log to bring the file again, and its record is an edit of what it was made from.
   *
   * @returns whether it was that; nothing is left under the name then
   */
  #putBy(directory: CacheNode, name: Name, path: string, stat: Stat): boolean {
    const { tree, versions } = this.#options;
    const mark = kindOf(stat.mode) === "file" ? this.#readMark(path) : undefined;
    if (mark?.holding.state !== "local" || !versions.isAhead(mark.holding.base)) return false;
    const oid = resolveOid(mark.oid, tree.visible);
    if (isKnown(oid, tree.visible)) return false;
    const { base, isSynced } = mark.holding;
    const node = tree.adopt(directory, name, { oid, holding: mark.holding }, stat);
    const close = versions.closeOf(base);
    if (close === undefined || !isLogged(stat, close)) {
      if (!this.#isTorn(path, stat, close)) this.#logContent(node, stat, base);
      else if (isSynced) this.#empty(node, base);
      else this.#dropCloses(node, base, path);
    }
    tree.displace(node, { parent: directory, name });
    return true;
  }

  /** Fewer bytes than the record of the same time says, or none: a power cut took them. */
  #isTorn(path: string, stat: Stat, close: CloseOperation | undefined): boolean {
    if (!this.#options.isPowerLost) return false;
    return isBlank(path, "file") || close?.mtimeNs === stat.mtimeNs;
  }

  /** The records of a content that is not on disk; what there is of it is put aside. */
  #dropCloses(node: CacheNode, base: Base, path: string): void {
    const { log, tree, versions } = this.#options;
    for (const recno of versions.openCloses(base)) log.cancel(recno);
    if (!isBlank(path, "file")) tree.rescueCopy(path);
    this.#dropped.push(tree.nodes.shownPath(node));
    tree.setHolding(node, ABSENT);
  }

  /**
   * The mark of an inode. Where it builds on a record that was lost with the end of the log, its number
   * goes to another record soon: the mark then names the version that is known, before that happens.
   */
  #readMark(path: string): ObjectMark | undefined {
    const { tree, log } = this.#options;
    const mark = this.#form.readMark(path);
    if (mark?.holding.state !== "local") return mark;
    const { base } = mark.holding;
    if (typeof base === "number" || base.peer !== log.peer || base.recno <= this.#ownHead)
      return mark;
    const known = tree.visible.object(resolveOid(mark.oid, tree.visible));
    const renewed: ObjectMark = {
      oid: mark.oid,
      holding: { ...mark.holding, base: known?.contentVersion ?? NO_RECNO },
    };
    this.#form.writeMark(path, renewed);
    return renewed;
  }

  /** Which object an inode is: by its mark, by the name that a record gave it, or a new one. */
  #identify(directory: CacheNode, name: Name, path: string, stat: Stat): CacheNode {
    const { tree } = this.#options;
    const { visible } = tree;
    const kind = kindOf(stat.mode);
    const mark = this.#readMark(path);
    const marked = mark === undefined ? undefined : resolveOid(mark.oid, visible);
    if (mark !== undefined && marked !== undefined && isKnown(marked, visible)) {
      const node = tree.adopt(directory, name, { oid: marked, holding: mark.holding }, stat);
      // An atomic save was cut off: what was saved still names the temporary object, and is the newer.
      if (marked !== mark.oid) this.#reinstated.push(node);
      return node;
    }
    const entry = visible.entry(directory.oid, name);
    const named = entry === undefined ? undefined : visible.object(entry.oid);
    const isNamed = mark === undefined && named !== undefined && named.kind === kind;
    if (isNamed && kind === "file") return this.#identifyByContent(directory, name, stat, named);
    const object = isNamed ? named : this.#logNew(directory, name, stat, mark?.oid);
    const holding: Holding =
      kind === "file" ? { state: "local", base: object.contentVersion } : (mark?.holding ?? WHOLE);
    this.#form.writeMark(path, { oid: object.oid, holding });
    return tree.adopt(directory, name, { oid: object.oid, holding }, stat);
  }

  /** A file without a mark, under the name of a file: cut off in its making, or its mark was lost. */
  #identifyByContent(parent: CacheNode, name: Name, stat: Stat, object: TreeObject): CacheNode {
    const { tree } = this.#options;
    const path = tree.nodes.pathIn(parent, name);
    const holding = provenHolding(path, object);
    const node = tree.adopt(parent, name, { oid: object.oid, holding }, stat);
    // Logged before it is marked: a mark of local content would pass for logged by size and time.
    if (holding.state === "local" && object.sha256 !== null) {
      this.#logContent(node, stat, holding.base);
    } else {
      this.#form.writeMark(path, { oid: object.oid, holding });
    }
    return node;
  }

  /** A name of which no record tells: its record was lost with the end of the log. */
  #logNew(parent: CacheNode, name: Name, stat: Stat, markedOid: Oid | undefined): TreeObject {
    const { tree, newOid } = this.#options;
    const path = tree.nodes.pathIn(parent, name);
    const kind = kindOf(stat.mode);
    const made = {
      oid: markedOid ?? newOid(),
      parent: parent.oid,
      name,
      path: tree.nodes.shownPathIn(parent, name),
      conflict: null,
      mode: kind === "special" ? stat.mode : stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      mtimeNs: stat.mtimeNs,
    };
    const target = kind === "symlink" ? bytesToText(this.#form.readlink(path)) : "";
    this.#record(creationOf({ ...made, kind, target, rdev: stat.rdev }), stat);
    const attributes = kind === "symlink" ? [] : xattrsOf(this.#form, path, made);
    for (const attribute of attributes) this.#record(attribute, stat);
    return tree.visible.object(made.oid)!;
  }

  #checkObject(node: CacheNode, stat: Stat): void {
    const object = this.#options.tree.objectOf(node);
    if (object === undefined || object.kind !== node.kind) return;
    this.#forgetLost(node);
    const { holding } = node;
    if (node.kind === "file" && holding.state === "local")
      this.#checkLocal(node, stat, object, holding);
    else if (!this.#looksLike(stat, object) || !isHolding(holding, object))
      this.#changeObject(node.oid);
  }

  /** A fetched content that the power took before it was on disk is not here any more. */
  #forgetLost(node: CacheNode): void {
    const { tree, isPowerLost } = this.#options;
    if (!isPowerLost || node.kind !== "file" || node.holding.state !== "content") return;
    if (examineContent(tree.nodes.pathOf(node)).sha256 === node.holding.sha256) return;
    tree.setHolding(node, ABSENT);
    this.#changeObject(node.oid);
  }

  /** Content that another peer's change took out of the tree while it was being written. */
  #checkLimbo(node: CacheNode, stat: Stat, { base }: LocalHolding): void {
    const { versions, tree } = this.#options;
    // Its CLOSE waits for the server, and the inode with it.
    const close = versions.closeOf(base);
    if (close !== undefined && isLogged(stat, close)) return;
    const { visible } = tree;
    const object = visible.object(node.oid) ?? visible.tombstone(node.oid)?.object;
    if (object === undefined || isLogged(stat, object)) return;
    this.#logContent(node, stat, base);
    this.#reinstated.push(node);
  }

  /** Content that was made here: is it what the log says, or has it to be logged? */
  #checkLocal(node: CacheNode, stat: Stat, shown: TreeObject, holding: LocalHolding): void {
    const { tree } = this.#options;
    const { base } = holding;
    const object = this.#giveToOwner(node, base) ?? shown;
    if (isLogged(stat, object) && !this.#isUnwritten(node, object)) {
      this.#nameRecord(node, object);
      if (!this.#looksLike(stat, object)) this.#changeObject(node.oid);
      return;
    }
    if (this.#dropTorn(node, stat, object, holding)) return;
    if (object.sha256 === null) {
      this.#logContent(node, stat, object.contentVersion);
      return;
    }
    const { sha256 } = examineContent(tree.nodes.pathOf(node));
    if (sha256 === object.sha256) {
      tree.setHolding(node, { state: "content", sha256 });
      this.#changeObject(node.oid);
    } else {
      this.#logContent(node, stat, base);
    }
  }

  /**
   * ext4 makes the size and the time of a file durable before its bytes where another file is synced in
   * between. Until a record has a hash, only the missing bytes tell.
   */
  #isUnwritten(node: CacheNode, { sha256, sizeBytes }: TreeObject): boolean {
    if (!this.#options.isPowerLost || sha256 !== null || sizeBytes === 0) return false;
    return isBlank(this.#options.tree.nodes.pathOf(node), "file");
  }

  /**
   * What a power cut has left of a write that was not synced is no edit: no bytes at all, or fewer than
   * the record of the same time says. What was there before stays, and a part of the bytes is put aside.
   */
  #dropTorn(node: CacheNode, stat: Stat, shown: TreeObject, holding: LocalHolding): boolean {
    const { tree, log, isPowerLost } = this.#options;
    const path = tree.nodes.pathOf(node);
    // Asked before anything is read: what a read has brought into memory counts as written.
    const hasBytes = !isBlank(path, "file");
    if (!isPowerLost || (hasBytes && stat.mtimeNs !== shown.mtimeNs)) return false;
    const found = examineContent(path).sha256;
    const isHere = (object: TreeObject): boolean =>
      object.sha256 === null
        ? isLogged(stat, object) && (hasBytes || object.sizeBytes === 0)
        : object.sha256 === found;
    if (holding.isSynced === true && !isHere(shown)) {
      this.#empty(node, shown.contentVersion);
      return true;
    }
    const places = dropUnwritten(log, node.oid, isHere);
    const object = tree.visible.object(node.oid);
    if (object === undefined || (places === undefined && hasBytes)) return false;
    if (!isHere(object)) {
      if (object.sha256 === null) return false;
      if (hasBytes) tree.rescueCopy(path);
      tree.setHolding(node, ABSENT);
    } else if (places === undefined) return false;
    else if (object.sha256 !== null) tree.setHolding(node, { state: "content", sha256: found });
    for (const { parent, name } of places ?? []) this.#changeName(parent, name);
    this.#changeObject(node.oid);
    this.#dropped.push(tree.nodes.shownPath(node));
    return true;
  }

  /**
   * Something that was synced was written over, and the power took what was to stand in its place. Who
   * waited for that sync must not see what was before it: the file is empty, as any file system might
   * leave it, and a part of the bytes is put aside.
   */
  #empty(node: CacheNode, contentBase: Base): void {
    const { tree } = this.#options;
    const path = tree.nodes.pathOf(node);
    if (!isBlank(path, "file")) tree.rescueCopy(path);
    truncateSync(osPath(path), 0);
    const stat = this.#form.stat(path);
    if (stat !== undefined) this.#logContent(node, stat, contentBase);
    this.#dropped.push(tree.nodes.shownPath(node));
  }

  #logContent(node: CacheNode, stat: Stat, contentBase: Base): void {
    const { tree, log } = this.#options;
    const operation: ClientOperation = {
      opcode: "CLOSE",
      oid: node.oid,
      path: tree.nodes.shownPath(node),
      contentBase,
      sizeBytes: stat.size,
      mtimeNs: stat.mtimeNs,
      sha256: null,
      conflict: null,
    };
    const recno = this.#record(operation, stat);
    tree.setHolding(node, { state: "local", base: { peer: log.peer, recno } });
  }

  /** A replay was cut off that gave the content to another object, such as a conflict copy. */
  #giveToOwner(node: CacheNode, base: Base): TreeObject | undefined {
    const { tree, versions } = this.#options;
    const owner = versions.objectOf(base);
    const object = owner === undefined ? undefined : tree.visible.object(owner);
    if (owner === undefined || object === undefined || owner === node.oid) return undefined;
    this.#changeObject(node.oid);
    tree.setOid(node, owner);
    this.#changeObject(owner);
    return object;
  }

  /** A crash came between a CLOSE and the mark that names it. */
  #nameRecord(node: CacheNode, { contentVersion: base }: TreeObject): void {
    const { tree, versions } = this.#options;
    if (versions.closeOf(base) !== undefined) tree.setHolding(node, { state: "local", base });
  }

  #record(operation: ClientOperation, { uid, gid }: Stat): Recno {
    const recno = this.#options.log.record(operation, { uid, gid, ...RECOVERY });
    if ("path" in operation) this.#logged.push(operation.path);
    return recno;
  }

  #changeName(parent: Oid, name: Name): void {
    this.#names.push({ parent, name, before: undefined, after: undefined });
  }

  #changeObject(oid: Oid): void {
    this.#objects.push({ oid, before: undefined, after: this.#options.tree.visible.object(oid) });
  }

  /** Tells whether an inode has the attributes that programs should see. */
  #looksLike(stat: Stat, object: TreeObject): boolean {
    const owner = shownOwner(this.#form, object);
    return (
      (object.kind === "symlink" || (stat.mode & 0o7777) === (object.mode & 0o7777)) &&
      stat.uid === owner.uid &&
      stat.gid === owner.gid &&
      (object.kind !== "file" || isLogged(stat, object))
    );
  }

  *#inodesIn(directory: string): Iterable<{ name: Name; path: string; stat: Stat }> {
    for (const bytes of readdirSync(osPath(directory), { encoding: "buffer" })) {
      const name = bytesToText(bytes) as Name;
      const path = `${directory}/${name}`;
      const stat = this.#form.stat(path);
      if (stat !== undefined) yield { name, path, stat };
    }
  }
}

function isKnown(oid: Oid, visible: CacheTree["visible"]): boolean {
  return visible.object(oid) !== undefined || visible.tombstone(oid) !== undefined;
}

/** Tells whether a file is as its last record says: every write since would show in its time. */
function isLogged(stat: Stat, object: Pick<TreeObject, "sizeBytes" | "mtimeNs">): boolean {
  return stat.size === object.sizeBytes && stat.mtimeNs === object.mtimeNs;
}

function isHolding(holding: Holding, object: TreeObject): boolean {
  if (object.kind !== "file") return true;
  if (holding.state === "absent") return object.sha256 !== EMPTY_SHA256;
  return holding.state !== "content" || holding.sha256 === object.sha256;
}
