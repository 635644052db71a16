import { truncateSync } from "node:fs";

import type { Base, ClientOperation, CloseOperation, TreeObject } from "@izo/core";
import type { Stat } from "@izo/sys";

import { examineContent } from "../content/examine-content.ts";
import { shownOwner } from "../inode/inode-form.ts";
import { ABSENT, type LocalHolding } from "../inode/object-mark.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import { isBlank } from "../tree/rescue.ts";
import { dropUnwritten } from "./drop-unwritten.ts";
import { type Findings, isLogged } from "./findings.ts";

/**
 * What of a file's content a crash has left: what its record says, an edit of which no record tells, or
 * a part of something that a power cut has taken.
 */
export class ContentRecovery {
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Content that was made here: is it what the log says, or has it to be logged? */
  checkLocal(node: CacheNode, stat: Stat, shown: TreeObject, holding: LocalHolding): void {
    const { tree } = this.#findings.options;
    const { base } = holding;
    const object = this.#giveToOwner(node, base) ?? shown;
    if (isLogged(stat, object) && !this.#isUnwritten(node, object)) {
      this.#nameRecord(node, object);
      if (!this.looksLike(stat, object)) this.#findings.changeObject(node.oid);
      return;
    }
    if (this.#dropTorn(node, stat, object, holding)) return;
    if (object.sha256 === null) {
      this.logContent(node, stat, object.contentVersion);
      return;
    }
    const { sha256 } = examineContent(tree.nodes.pathOf(node));
    if (sha256 === object.sha256) {
      tree.marks.setHolding(node, { state: "content", sha256 });
      this.#findings.changeObject(node.oid);
    } else {
      this.logContent(node, stat, base);
    }
  }

  /** Content that another peer's change took out of the tree while it was being written. */
  checkLimbo(node: CacheNode, stat: Stat, { base }: LocalHolding): void {
    const { versions, tree } = this.#findings.options;
    // Its CLOSE waits for the server, and the inode with it.
    const close = versions.closeOf(base);
    if (close !== undefined && isLogged(stat, close)) return;
    const { visible } = tree;
    const object = visible.object(node.oid) ?? visible.tombstone(node.oid)?.object;
    if (object === undefined || isLogged(stat, object)) return;
    this.logContent(node, stat, base);
    this.#findings.reinstated.push(node);
  }

  /**
   * Content of a file that the index does not know any more, because it lost its end: its record is an
   * edit of what it was made from.
   */
  checkStray(node: CacheNode, stat: Stat, { base, isSynced }: LocalHolding): void {
    const { tree, versions } = this.#findings.options;
    const close = versions.closeOf(base);
    if (close !== undefined && isLogged(stat, close)) return;
    const path = tree.nodes.pathOf(node);
    if (!this.#isTorn(path, stat, close)) this.logContent(node, stat, base);
    else if (isSynced === true) this.#empty(node, base);
    else this.#dropCloses(node, base, path);
  }

  /** A fetched content that the power took before it was on disk is not here any more. */
  forgetLost(node: CacheNode): void {
    const { tree, isPowerLost } = this.#findings.options;
    if (!isPowerLost || node.kind !== "file" || node.holding.state !== "content") return;
    if (examineContent(tree.nodes.pathOf(node)).sha256 === node.holding.sha256) return;
    tree.marks.setHolding(node, ABSENT);
    this.#findings.changeObject(node.oid);
  }

  logContent(node: CacheNode, stat: Stat, contentBase: Base): void {
    const { tree, log } = this.#findings.options;
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
    const recno = this.#findings.record(operation, stat);
    tree.marks.setHolding(node, { state: "local", base: { peer: log.peer, recno } });
  }

  /** Tells whether an inode has the attributes that programs should see. */
  looksLike(stat: Stat, object: TreeObject): boolean {
    const owner = shownOwner(this.#findings.form, object);
    return (
      (object.kind === "symlink" || (stat.mode & 0o7777) === (object.mode & 0o7777)) &&
      stat.uid === owner.uid &&
      stat.gid === owner.gid &&
      (object.kind !== "file" || isLogged(stat, object))
    );
  }

  /** Fewer bytes than the record of the same time says, or none: a power cut took them. */
  #isTorn(path: string, stat: Stat, close: CloseOperation | undefined): boolean {
    if (!this.#findings.options.isPowerLost) return false;
    return isBlank(path, "file") || close?.mtimeNs === stat.mtimeNs;
  }

  /**
   * ext4 makes the size and the time of a file durable before its bytes where another file is synced in
   * between. Until a record has a hash, only the missing bytes tell.
   */
  #isUnwritten(node: CacheNode, { sha256, sizeBytes }: TreeObject): boolean {
    if (!this.#findings.options.isPowerLost || sha256 !== null || sizeBytes === 0) return false;
    return isBlank(this.#findings.options.tree.nodes.pathOf(node), "file");
  }

  /**
   * What a power cut has left of a write that was not synced is no edit: no bytes at all, or fewer than
   * the record of the same time says. What was there before stays, and a part of the bytes is put aside.
   */
  #dropTorn(node: CacheNode, stat: Stat, shown: TreeObject, holding: LocalHolding): boolean {
    const { tree, log, isPowerLost } = this.#findings.options;
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
      tree.marks.setHolding(node, ABSENT);
    } else if (places === undefined) return false;
    else if (object.sha256 !== null)
      tree.marks.setHolding(node, { state: "content", sha256: found });
    for (const { parent, name } of places ?? []) this.#findings.changeName(parent, name);
    this.#findings.changeObject(node.oid);
    this.#findings.dropped.push(tree.nodes.shownPath(node));
    return true;
  }

  /**
   * Something that was synced was written over, and the power took what was to stand in its place. Who
   * waited for that sync must not see what was before it: the file is empty, as any file system might
   * leave it, and a part of the bytes is put aside.
   */
  #empty(node: CacheNode, contentBase: Base): void {
    const { tree } = this.#findings.options;
    const path = tree.nodes.pathOf(node);
    if (!isBlank(path, "file")) tree.rescueCopy(path);
    truncateSync(osPath(path), 0);
    const stat = this.#findings.form.stat(path);
    if (stat !== undefined) this.logContent(node, stat, contentBase);
    this.#findings.dropped.push(tree.nodes.shownPath(node));
  }

  /** The records of a content that is not on disk; what there is of it is put aside. */
  #dropCloses(node: CacheNode, base: Base, path: string): void {
    const { log, tree, versions } = this.#findings.options;
    for (const recno of versions.openCloses(base)) log.cancel(recno);
    if (!isBlank(path, "file")) tree.rescueCopy(path);
    this.#findings.dropped.push(tree.nodes.shownPath(node));
    tree.marks.setHolding(node, ABSENT);
  }

  /** A replay was cut off that gave the content to another object, such as a conflict copy. */
  #giveToOwner(node: CacheNode, base: Base): TreeObject | undefined {
    const { tree, versions } = this.#findings.options;
    const owner = versions.objectOf(base);
    const object = owner === undefined ? undefined : tree.visible.object(owner);
    if (owner === undefined || object === undefined || owner === node.oid) return undefined;
    this.#findings.changeObject(node.oid);
    tree.marks.setOid(node, owner);
    this.#findings.changeObject(owner);
    return object;
  }

  /** A crash came between a CLOSE and the mark that names it. */
  #nameRecord(node: CacheNode, { contentVersion: base }: TreeObject): void {
    const { tree, versions } = this.#findings.options;
    if (versions.closeOf(base) !== undefined) tree.marks.setHolding(node, { state: "local", base });
  }
}
