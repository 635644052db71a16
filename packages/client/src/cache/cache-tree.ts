/**
 * The cache tree: a real directory tree whose names and attributes are those of the visible tree, made
 * directory by directory when somebody first looks (design C1). Until then a directory is in the index
 * only.
 *
 * The file system asks it for nodes and paths and then acts on the paths; replay changes it through
 * `ChangeApplier`. A crash loses nothing here: what a directory holds is made before its mark says that
 * it is whole, and is made again where the mark was not reached.
 */
import { constants, readdirSync, renameSync, rmSync } from "node:fs";

import {
  type Base,
  bytesToText,
  type Entry,
  isSameVersion,
  type Name,
  type ObjectKind,
  type Oid,
  type StateReader,
  type TreeObject,
} from "@izo/core";
import { AT_FDCWD, linkat, type Stat } from "@izo/sys";

import { rootNode } from "../fuse/file-system.ts";
import type { NodeLink, CacheNode } from "./cache-node.ts";
import { type CachePaths, osPath } from "./cache-paths.ts";
import type { ContentsAtHand } from "./contents-at-hand.ts";
import { isDiskFull } from "./disk-full.ts";
import type { InodeForm } from "./inode-form.ts";
import { makeInode, statInode, updateAttributes, updateTime } from "./inode.ts";
import type { NodeIds } from "./node-ids.ts";
import { NodeTable } from "./node-table.ts";
import { type Holding, nextHolding, type ObjectMark, WHOLE } from "./object-mark.ts";
import { openRoot } from "./open-root.ts";
import { isBlank, rescue, rescueCopy } from "./rescue.ts";
import { withUnchangedCtime, withUnchangedTimes } from "./unchanged-times.ts";

/** An entry that could not be made; the rest of its directory was. */
export type ProblemReporter = (path: string, error: unknown) => void;

export interface CacheTreeOptions {
  readonly paths: CachePaths;
  readonly form: InodeForm;
  readonly ids: NodeIds;
  /** The visible tree as it is now; asked anew each time, because another can take its place. */
  readonly visible: () => StateReader;
  readonly onProblem: ProblemReporter;
  /**
   * Tells whether local content of this version waits for the server. Its inode stays, in limbo where
   * it has lost its names, because it is the only place where the content is.
   */
  readonly isPending: (version: Base) => boolean;
}

const REMOVED = "removed-";

export class CacheTree {
  readonly nodes: NodeTable;
  /** How its inodes show their objects. */
  readonly form: InodeForm;
  readonly #visible: () => StateReader;
  readonly #onProblem: ProblemReporter;
  readonly #rescuePath: string;
  readonly #isPending: CacheTreeOptions["isPending"];
  #limboCount: number;
  /** Those of which the mark is behind. */
  readonly #lateMarks = new Set<CacheNode>();

  /** @throws CacheMarksLostError */
  constructor({ paths, form, ids, visible, onProblem, isPending }: CacheTreeOptions) {
    this.form = form;
    this.nodes = new NodeTable({ ...paths, rootId: rootNode, ids });
    this.#visible = visible;
    this.#onProblem = onProblem;
    this.#isPending = isPending;
    this.#rescuePath = paths.rescue;
    // What an earlier process has left there may still be needed: no name is used twice.
    this.#limboCount = highestNumber(readdirSync(paths.limbo));
    this.nodes.root.holding = openRoot(form, paths.tree);
  }

  get visible(): StateReader {
    return this.#visible();
  }

  /** Gives the tree's own directory the attributes of the fileset's root, which no name brings along. */
  showRoot(): void {
    const { root } = this.nodes;
    const object = this.objectOf(root);
    if (object === undefined) return;
    updateAttributes(this.form, this.nodes.pathOf(root), object);
    if (!root.isPresent) updateTime(this.nodes.pathOf(root), object);
  }

  /** The object of a node as programs see it; undefined for what is removed. */
  objectOf(node: CacheNode): TreeObject | undefined {
    return this.visible.object(node.oid);
  }

  /** The node of a name, or undefined; makes the directory's entries first where that was not done. */
  child(directory: CacheNode, name: Name, atHand?: ContentsAtHand): CacheNode | undefined {
    const known = directory.children.get(name);
    if (known !== undefined) return known;
    this.list(directory, atHand);
    return directory.children.get(name) ?? this.peek(directory, name);
  }

  /** The node of a name that is on disk; makes nothing. */
  peek(directory: CacheNode, name: Name): CacheNode | undefined {
    const known = directory.children.get(name);
    if (known !== undefined || directory.knowsAllChildren) return known;
    const path = this.nodes.pathIn(directory, name);
    const stat = this.form.stat(path);
    if (stat === undefined) return undefined;
    const mark = this.form.readMark(path);
    // An inode without a mark was cut off in its making; recovery, which ran before, leaves none.
    if (mark === undefined) return undefined;
    return this.adopt(directory, name, mark, stat);
  }

  /** Takes an inode that is on disk into the table, or one more name of an inode that is there. */
  adopt(parent: CacheNode, name: Name, { oid, holding }: ObjectMark, stat: Stat): CacheNode {
    const met = this.nodes.ofObject(oid);
    const isMet = met?.kind === "file" && this.#inoOf(met) === stat.ino;
    const node = isMet ? met : this.nodes.add(oid, kindOf(stat.mode), holding);
    this.nodes.link(node, parent, name);
    return node;
  }

  #inoOf(node: CacheNode): bigint | undefined {
    return node.links.length === 0 ? undefined : statInode(this.nodes.pathOf(node))?.ino;
  }

  /** The inode of an object where it is in the tree already; makes nothing. */
  find(oid: Oid): CacheNode | undefined {
    const met = this.nodes.ofObject(oid);
    if (met !== undefined) return met;
    for (const link of this.visible.links(oid)) {
      const parent = this.find(link.parent);
      const node = parent?.isPresent === true ? this.peek(parent, link.name) : undefined;
      if (node?.oid === oid) return node;
    }
    return undefined;
  }

  /** {@link find} that makes the directories on the way to an object, and the object with them. */
  reach(oid: Oid, atHand?: ContentsAtHand): CacheNode | undefined {
    const found = this.find(oid);
    const entry = found === undefined ? this.visible.links(oid)[0] : undefined;
    const parent = entry === undefined ? undefined : this.reach(entry.parent, atHand);
    return entry === undefined || parent === undefined
      ? found
      : this.child(parent, entry.name, atHand);
  }

  /** Makes the directory's entries on disk, once; those with their content whose content is at hand. */
  list(directory: CacheNode, atHand?: ContentsAtHand): void {
    if (directory.isPresent) return;
    withUnchangedTimes(this.nodes, [directory], () => {
      this.#clearUnlisted(directory);
      // From here on: a table that gets too large forgets entries, and then it is not so any more.
      directory.knowsAllChildren = true;
      for (const entry of this.visible.children(directory.oid)) {
        this.place(directory, entry, atHand);
      }
      this.setHolding(directory, WHOLE);
    });
  }

  /** Puts an object under a name: from limbo, as one more name of its inode, or made new. */
  place(
    parent: CacheNode,
    { name, oid }: Pick<Entry, "name" | "oid">,
    atHand?: ContentsAtHand,
  ): void {
    const standing = parent.children.get(name);
    if (standing?.oid === oid) return;
    const object = this.visible.object(oid);
    if (object === undefined) return;
    try {
      this.#place(parent, name, object, atHand);
    } catch (error) {
      // One entry that this machine cannot hold must not keep all others away; a full disk holds none.
      if (isDiskFull(error, this.nodes.pathOf(parent))) throw error;
      this.#onProblem(this.nodes.shownPathIn(parent, name), error);
    }
  }

  #place(parent: CacheNode, name: Name, object: TreeObject, atHand?: ContentsAtHand): void {
    const path = this.nodes.pathIn(parent, name);
    const known = this.nodes.ofObject(object.oid);
    const limboLink = known?.links.find((link) => link.parent === this.nodes.limbo);
    if (known !== undefined && limboLink !== undefined) {
      this.#rename(known, limboLink, parent, name);
      return;
    }
    const other = object.kind === "file" ? this.#otherName(object.oid) : undefined;
    if (other !== undefined) {
      withUnchangedTimes(this.nodes, [other], () => {
        linkat(AT_FDCWD, osPath(this.nodes.pathOf(other)), AT_FDCWD, osPath(path));
      });
      this.nodes.link(other, parent, name);
      return;
    }
    const holding = makeInode(this.form, path, object, atHand?.take(object));
    this.nodes.link(this.nodes.add(object.oid, object.kind, holding), parent, name);
  }

  /** Takes a name out of the tree, with all that is below it. What nobody claims is removed by {@link sweep}. */
  displace(node: CacheNode, link: NodeLink): void {
    this.#limboCount += 1;
    this.#rename(node, link, this.nodes.limbo, `displaced-${this.#limboCount}` as Name);
  }

  /**
   * Removes from limbo what no name claims any more, except what a program may still write to, and what
   * the server has not got yet.
   */
  sweep(): void {
    for (const [name, node] of Array.from(this.nodes.limbo.children)) {
      if (this.#isNeeded(node) && node.links.length === 1) continue;
      const path = this.nodes.pathIn(this.nodes.limbo, name);
      try {
        if (node.kind === "directory") this.#keepNeeded(node);
        rmSync(osPath(path), { recursive: true, force: true });
        this.#forgetBelow(node);
        this.nodes.unlink(this.nodes.limbo, name);
      } catch (error) {
        this.#onProblem(path, error);
      }
    }
  }

  /** Notes what an inode holds, on disk first. */
  setHolding(node: CacheNode, next: Holding): void {
    const holding = nextHolding(node.holding, next);
    const mark = { oid: node.oid, holding };
    if (holding.state === "absent") this.nodes.kept.drop(node);
    const [fd] = node.descriptors.keys();
    if (fd === undefined) {
      const path = this.nodes.pathOf(node);
      withUnchangedTimes(this.nodes, [node], () => this.form.writeMark(path, mark));
    } else {
      withUnchangedCtime(node, fd, () => this.form.writeMark(fd, mark));
    }
    node.holding = holding;
    this.#noteMarked(node);
  }

  /**
   * Notes that the local content of an inode is that of an own record. Where that was made from another own
   * record, as of a new file, the mark can go on naming the one below: a crash leaves that, and recovery finds the
   * content by it. So a file that is made and closed is marked once while somebody waits, and again when it is
   * sealed, before which nobody can do anything to it under the record's number.
   *
   * A version of the server's is not enough: who lost the end of the index in a power cut does not know it again.
   */
  holdRecord(node: CacheNode, record: Base, madeFrom: Base): void {
    const { holding } = node;
    const isMarked = holding.state === "local" && isSameVersion(holding.base, madeFrom);
    const next = nextHolding(holding, { state: "local", base: record });
    const mayWait = isMarked && typeof madeFrom !== "number" && node.retiredBase === undefined;
    if (!mayWait || node.isMarkBehind) {
      this.setHolding(node, next);
      return;
    }
    node.holding = next;
    node.isMarkBehind = true;
    this.#lateMarks.add(node);
  }

  /** Has the mark of an inode say what it holds. @throws the disk's errors */
  writeLateMark(node: CacheNode): void {
    if (!node.isMarkBehind) return;
    if (node.isNamed) this.setHolding(node, node.holding);
    else this.#noteMarked(node);
  }

  /** {@link writeLateMark} of all. @throws the disk's errors */
  writeLateMarks(): void {
    for (const node of this.#lateMarks) this.writeLateMark(node);
  }

  #noteMarked(node: CacheNode): void {
    node.isMarkDirty = true;
    if (node.isMarkBehind) this.#lateMarks.delete(node);
    node.isMarkBehind = false;
  }

  /**
   * The inode is another object from now on.
   *
   * @param version the own record that made local content the object's
   */
  setOid(node: CacheNode, oid: Oid, version?: Base): void {
    if (version !== undefined && node.holding.state === "local")
      node.holding = { ...node.holding, base: version };
    this.form.writeMark(this.nodes.pathOf(node), { oid, holding: node.holding });
    this.nodes.setOid(node, oid);
    this.#noteMarked(node);
  }

  /**
   * Puts a finished inode, made in limbo or staging, under all names of the node, atomically for each.
   * Who has the old inode open keeps it (design C3); it stays in limbo while somebody may write to it,
   * and while its content waits for the server.
   *
   * @param isArrived it holds what those read who read the content while it came
   * @returns the node that has the names now
   */
  replaceInode(node: CacheNode, path: string, holding: Holding, isArrived = false): CacheNode {
    // Nobody can have a placeholder open: the node goes on with its content.
    const goesOn = node.holding.state === "absent" && (isArrived || !node.isArriving);
    const directories = new Set(node.links.map(({ parent }) => parent));
    const concerned = [...directories, ...(goesOn ? [node] : [])];
    return withUnchangedTimes(this.nodes, concerned, () =>
      this.#replaceInode(node, path, holding, goesOn),
    );
  }

  #replaceInode(node: CacheNode, path: string, holding: Holding, goesOn: boolean): CacheNode {
    const [first, ...others] = node.links;
    if (first === undefined) return node;
    const keptName = this.#isNeeded(node) ? this.#linkIntoLimbo(node) : undefined;
    for (const { parent, name } of others) {
      const spare = this.sparePath();
      linkat(AT_FDCWD, osPath(path), AT_FDCWD, osPath(spare));
      renameSync(osPath(spare), osPath(this.nodes.pathIn(parent, name)));
    }
    renameSync(osPath(path), osPath(this.nodes.pathIn(first.parent, first.name)));
    if (goesOn) {
      node.holding = holding;
      node.isMarkDirty = true;
      return node;
    }
    const next = this.nodes.add(node.oid, node.kind, holding);
    this.nodes.replace(node, next);
    if (keptName !== undefined) this.nodes.link(node, this.nodes.limbo, keptName);
    return next;
  }

  /**
   * Gives an inode that lost its names to another peer's change the names of its object again, because
   * what was written to it since is now the object's visible content.
   */
  reinstate(node: CacheNode): void {
    this.nodes.setOid(node, node.oid);
    for (const { parent, name } of this.visible.links(node.oid)) {
      const directory = this.find(parent);
      if (directory?.isPresent !== true) continue;
      const standing = this.peek(directory, name);
      if (standing === node) continue;
      if (standing !== undefined) this.displace(standing, { parent: directory, name });
      this.nodes.setOid(node, node.oid);
      this.place(directory, { name, oid: node.oid });
    }
    node.retiredBase = undefined;
    this.sweep();
  }

  /** A free path in limbo, for an inode in the making. */
  sparePath(): string {
    this.#limboCount += 1;
    return this.nodes.pathIn(this.nodes.limbo, `spare-${this.#limboCount}` as Name);
  }

  /** A free path in limbo, for a content whose removal is not durable yet; see {@link isRemovedContent}. */
  removedPath(): string {
    this.#limboCount += 1;
    return this.nodes.pathIn(this.nodes.limbo, `${REMOVED}${this.#limboCount}` as Name);
  }

  /** Tells whether the inode is the only place where its content is. */
  isOnlyHere({ holding }: CacheNode): boolean {
    return holding.state === "local" && this.#isPending(holding.base);
  }

  /** Puts aside what nothing explains, and says so. */
  rescue(path: string): void {
    this.#onProblem(path, rescue(path, this.#rescuePath));
  }

  /** Keeps a copy of what is not shown any more, and says so. */
  rescueCopy(path: string): void {
    this.#onProblem(path, rescueCopy(path, this.#rescuePath));
  }

  #isNeeded(node: CacheNode): boolean {
    return node.hasWriter || this.isOnlyHere(node);
  }

  #linkIntoLimbo(node: CacheNode): Name {
    this.#limboCount += 1;
    const name = `kept-${this.#limboCount}` as Name;
    const spare = this.nodes.pathIn(this.nodes.limbo, name);
    linkat(AT_FDCWD, osPath(this.nodes.pathOf(node)), AT_FDCWD, osPath(spare));
    return name;
  }

  #rename(node: CacheNode, from: NodeLink, parent: CacheNode, name: Name): void {
    renameSync(
      osPath(this.nodes.pathIn(from.parent, from.name)),
      osPath(this.nodes.pathIn(parent, name)),
    );
    this.nodes.move(node, from, parent, name);
  }

  /** Another name of the object that is in the tree, to link to. */
  #otherName(oid: Oid): CacheNode | undefined {
    const met = this.nodes.ofObject(oid);
    if (met !== undefined) return met.links.length > 0 ? met : undefined;
    return this.visible.links(oid).length > 1 ? this.find(oid) : undefined;
  }

  /**
   * What an interrupted listing has left. Its placeholders are made again; what came from elsewhere and
   * has content goes to limbo, from where its name claims it. What no listing makes is put aside.
   */
  #clearUnlisted(directory: CacheNode): void {
    const path = this.nodes.pathOf(directory);
    for (const bytes of readdirSync(osPath(path), { encoding: "buffer" })) {
      const name = bytesToText(bytes) as Name;
      const node = this.peek(directory, name);
      const at = `${path}/${name}`;
      if (node === undefined && !this.#isHalfMade(directory, name, at)) this.rescue(at);
      else if (node !== undefined && this.#hasContent(node, at)) {
        this.#refresh(node, at);
        this.displace(node, { parent: directory, name });
      } else rmSync(osPath(at), { recursive: true, force: true });
      if (node !== undefined) this.nodes.unlink(directory, name);
    }
  }

  /** Nobody could tell what is in no listed directory that its object has changed. */
  #refresh(node: CacheNode, path: string): void {
    const object = this.objectOf(node);
    if (object === undefined || node.holding.state !== "content") return;
    updateAttributes(this.form, path, object);
    updateTime(path, object);
  }

  /** Tells whether an inode without a mark is what the listing was making under this name. */
  #isHalfMade(directory: CacheNode, name: Name, path: string): boolean {
    const entry = this.visible.entry(directory.oid, name);
    const object = entry === undefined ? undefined : this.visible.object(entry.oid);
    const stat = this.form.stat(path);
    if (stat === undefined || object?.kind !== kindOf(stat.mode)) return false;
    if (object.kind !== "symlink") return isBlank(path, object.kind);
    return bytesToText(this.form.readlink(path)) === object.target;
  }

  /** Tells whether an inode has what its object shows, so that it must or need not be made again. */
  #hasContent(node: CacheNode, path: string): boolean {
    const { kind, holding } = node;
    if (kind === "directory") return holding.state === "whole" || !isBlank(path, kind);
    if (holding.state === "local") return true;
    return holding.state === "content" && holding.sha256 === this.objectOf(node)?.sha256;
  }

  /**
   * Takes out of a directory that goes what is needed still. What others remove is taken out name by name
   * before; this is for what no record explains, as by a server that is wrong.
   */
  #keepNeeded(directory: CacheNode): void {
    if (!directory.isPresent) return;
    for (const bytes of readdirSync(osPath(this.nodes.pathOf(directory)), { encoding: "buffer" })) {
      const name = bytesToText(bytes) as Name;
      const node = this.peek(directory, name);
      if (node?.kind === "directory") this.#keepNeeded(node);
      else if (node !== undefined && this.#isNeeded(node))
        this.displace(node, { parent: directory, name });
    }
  }

  #forgetBelow(directory: CacheNode): void {
    for (const [name, node] of Array.from(directory.children)) {
      this.#forgetBelow(node);
      this.nodes.unlink(directory, name);
    }
  }
}

/** Tells whether a name in limbo is that of a content that was removed. */
export function isRemovedContent(name: Name): boolean {
  return name.startsWith(REMOVED);
}

function highestNumber(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0)));
}

/** The kind that the type bits of a mode say. */
export function kindOf(mode: number): ObjectKind {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return "file";
    case constants.S_IFDIR:
      return "directory";
    case constants.S_IFLNK:
      return "symlink";
    default:
      return "special";
  }
}
