/**
 * Makes the cache tree show the visible tree again after a pull (design C5, C7): the executor of a
 * `ChangeSet`.
 *
 * A change set only says where to look; what shall be there is asked of the visible tree at that
 * moment, so applying one twice, or one that is out of date, does no harm. Names change in two phases:
 * all that move or go are first taken into limbo, then each takes its place, so swaps and chains need
 * no order. Directories that nobody looked at are in the index only, and stay so.
 *
 * It is called after the position has moved. A crash before the end leaves a tree that is behind, with
 * every local content still on disk under a mark that says what it is: `recoverTree` calls this again.
 */
import { truncateSync } from "node:fs";

import {
  type Base,
  type ChangeSet,
  type ContentMove,
  type Entry,
  EMPTY_SHA256,
  type NameChange,
  type ObjectChange,
  type Oid,
  resolveOid,
  type TreeObject,
} from "@izo/core";

import type { OwnVersions } from "./content/own-versions.ts";
import { makeInode, updateAttributes, updateTime } from "./inode/inode.ts";
import { invalidateNames, namesOf } from "./notify/invalidate-names.ts";
import type { KernelNotifier } from "./notify/kernel-notifier.ts";
import { WatchedNames } from "./notify/watched-names.ts";
import type { CacheNode, NodeLink } from "./tree/cache-node.ts";
import { osPath } from "./tree/cache-paths.ts";
import type { CacheTree } from "./tree/cache-tree.ts";

export interface ChangeApplierOptions {
  readonly tree: CacheTree;
  readonly versions: OwnVersions;
  readonly notifier: KernelNotifier;
  /** Old content stays until the new one was fetched (replica); otherwise it goes at once (on-demand). */
  readonly keepsOldContent: boolean;
  /** Logs what was written to the inode and is not in the log yet, as an edit of `base`. */
  readonly logChanges: (node: CacheNode, base: Base) => void;
}

export class ChangeApplier {
  readonly #tree: CacheTree;
  readonly #versions: OwnVersions;
  readonly #notifier: KernelNotifier;
  readonly #keepsOldContent: boolean;
  readonly #logChanges: ChangeApplierOptions["logChanges"];

  constructor(options: ChangeApplierOptions) {
    this.#tree = options.tree;
    this.#versions = options.versions;
    this.#notifier = options.notifier;
    this.#keepsOldContent = options.keepsOldContent;
    this.#logChanges = options.logChanges;
  }

  apply({ names, objects, moves }: ChangeSet): void {
    if (!this.#tree.nodes.root.isPresent) {
      // Nobody has looked into the tree yet: all else is in the index only.
      this.#tree.showRoot();
      return;
    }
    const places = new Places(this.#tree, names);
    const watched = new WatchedNames(this.#tree, objects);
    const touched = objects.flatMap((change) => {
      const node = places.locateObject(change.oid);
      return node === undefined ? [] : [{ change, node }];
    });
    // First of all, and while nothing has moved: an edit that is under way becomes a pending record, and
    // the visible tree then keeps what it edits.
    const edited = touched.filter(({ change, node }) => this.#saveEdit(change, node));
    const { moved, left } = this.#moveContents(moves, places);
    // An edit of what was removed brings it back, perhaps under another name.
    const found = moved.union(new Set(edited.map(({ node }) => node.oid)));
    this.#changeNames(names, found, places, watched);
    for (const change of objects) this.#changeObject(change, moved, watched);
    // An inode that came from another object has brought that one's attributes along.
    const told = new Set(objects.map(({ oid }) => oid));
    for (const oid of moved.difference(told)) {
      const after = this.#tree.visible.object(oid);
      this.#changeObject({ oid, before: undefined, after }, moved, watched);
    }
    this.#tree.limbo.sweep();
    for (const { parent, name } of names) {
      const directory = places.known(parent);
      if (directory !== undefined) this.#notifier.invalidateEntry(directory.id, name);
    }
    // Such a name may mean the same object as before, and yet another inode.
    for (const { parent, name } of left) this.#notifier.invalidateEntry(parent.id, name);
    this.#tellCounts(names);
    watched.tell(this.#notifier);
  }

  /** How many names an object has is an attribute of it, and the kernel knows that under its other names. */
  #tellCounts(names: readonly NameChange[]): void {
    const { visible, nodes } = this.#tree;
    const named = new Set<Oid>();
    for (const { parent, name, before } of names) {
      if (before !== undefined) named.add(before.oid);
      const after = visible.entry(parent, name);
      if (after !== undefined) named.add(after.oid);
    }
    for (const oid of named) {
      const node = nodes.ofObject(oid);
      if (node === undefined || node.kind === "directory" || node.links.length === 0) continue;
      node.namesToCome = undefined;
      this.#notifier.invalidateNode(node.id, namesOf(node));
    }
  }

  /** @returns whether there was an edit to be logged */
  #saveEdit({ oid, before }: ObjectChange, node: CacheNode): boolean {
    if (before === undefined || before.kind !== "file") return false;
    const after = this.#tree.visible.object(oid);
    if (after !== undefined && before.sha256 === after.sha256) return false;
    const isEdited = node.unlogged.size > 0;
    if (isEdited) this.#logChanges(node, before.contentVersion);
    else if (node.hasWriter) node.retiredBase = before.contentVersion;
    return isEdited;
  }

  /**
   * The local content of one object becomes another's, with the descriptors that are open on it. A move
   * says where to look; which inode it is about says the version that the inode holds, because by now
   * another content can stand under the object.
   *
   * @returns objects that have, or have lost, such an inode, and the names from which inodes were taken
   */
  #moveContents(
    moves: readonly ContentMove[],
    places: Places,
  ): { readonly moved: ReadonlySet<Oid>; readonly left: readonly NodeLink[] } {
    const moved = new Set<Oid>();
    const left: NodeLink[] = [];
    for (const { from, to } of moves) {
      const node = places.locateObject(from);
      const target = resolveOid(to, this.#tree.visible);
      if (node === undefined || node.oid === target || !this.#belongsTo(node, target)) continue;
      const vacated = this.#vacate(target);
      if (vacated === undefined) continue;
      left.push(...vacated, ...this.#displaceAll(node));
      this.#tree.marks.setOid(node, target);
      node.retiredBase = undefined;
      moved.add(from).add(target);
    }
    return { moved, left };
  }

  #displaceAll(node: CacheNode): readonly NodeLink[] {
    this.#tree.meetNames(node);
    const { links } = node;
    for (const link of links) this.#tree.limbo.displace(node, link);
    return links;
  }

  #belongsTo({ holding }: CacheNode, oid: Oid): boolean {
    switch (holding.state) {
      case "local":
        return this.#versions.objectOf(holding.base) === oid;
      case "content":
        return holding.sha256 === this.#tree.visible.object(oid)?.sha256;
      default:
        return false;
    }
  }

  /**
   * Makes way for an inode that is the object's; one with local content of its own stays.
   *
   * @returns the names that are free now; undefined where it stays
   */
  #vacate(oid: Oid): readonly NodeLink[] | undefined {
    const standing = this.#tree.find(oid);
    if (standing === undefined) return [];
    if (standing.holding.state === "local" || standing.kind !== "file") return undefined;
    return this.#displaceAll(standing);
  }

  /** @param found objects whose inode has to have their names, also those that have not changed */
  #changeNames(
    names: readonly NameChange[],
    found: ReadonlySet<Oid>,
    places: Places,
    watched: WatchedNames,
  ): void {
    const { visible, nodes } = this.#tree;
    const arriving: Entry[] = [];
    for (const change of names) {
      const { parent, name } = change;
      const directory = places.known(parent);
      const wanted = visible.entry(parent, name);
      const standing = directory === undefined ? undefined : this.#tree.peek(directory, name);
      const met = directory ?? nodes.ofObject(parent);
      if (met !== undefined)
        watched.note(change, met, directory === undefined ? change.before : standing);
      if (wanted !== undefined) arriving.push(wanted);
      if (directory === undefined || standing === undefined || standing.oid === wanted?.oid)
        continue;
      this.#tree.limbo.displace(standing, { parent: directory, name });
    }
    for (const oid of found) arriving.push(...visible.links(oid));
    for (const entry of arriving) this.#arrive(entry);
  }

  #arrive(entry: Entry): void {
    const directory = this.#reach(entry.parent, this.#isDisplaced(entry.oid));
    if (directory?.isPresent === true) this.#tree.place(directory, entry);
  }

  /**
   * The inode of a directory that is in the tree, with its entries made. One that waits in limbo takes
   * its place first. One that nobody looked at is made only where something local has to go into it.
   */
  #reach(oid: Oid, isNeeded: boolean): CacheNode | undefined {
    const { limbo } = this.#tree.nodes;
    if (this.#isDisplaced(oid) || (isNeeded && this.#tree.find(oid) === undefined)) {
      const entry = this.#tree.visible.links(oid)[0];
      if (entry === undefined) return undefined;
      const parent = this.#reach(entry.parent, true);
      if (parent === undefined) return undefined;
      this.#tree.place(parent, entry);
    }
    const node = this.#tree.find(oid);
    if (node === undefined || node.links[0]?.parent === limbo) return undefined;
    if (isNeeded) this.#tree.list(node);
    return node;
  }

  #isDisplaced(oid: Oid): boolean {
    const { limbo } = this.#tree.nodes;
    return this.#tree.nodes.ofObject(oid)?.links.some(({ parent }) => parent === limbo) === true;
  }

  #changeObject(
    { oid, before }: ObjectChange,
    moved: ReadonlySet<Oid>,
    watched: WatchedNames,
  ): void {
    const after = this.#tree.visible.object(oid);
    const node = after === undefined ? undefined : this.#tree.find(oid);
    if (after === undefined || node === undefined || node.links.length === 0) return;
    // Of an inode that came from another object nothing follows from what this one was.
    const compared = moved.has(oid) ? undefined : before;
    const hasOther = after.kind === "file" && !this.#isContentOf(node, compared, after);
    if (hasOther && moved.has(oid)) this.#retire(node);
    const waits = hasOther && this.#waitsForContent(node, after);
    const current = hasOther && !waits ? this.#replaceContent(node, after) : node;
    const path = this.#tree.nodes.pathOf(current);
    let isOther = updateAttributes(this.#tree.form, path, after);
    // The time belongs to the content: to an edit that is under way, to the one that is still shown.
    const hasOwnTime = current.unlogged.size > 0 || waits;
    // A directory's moves with its entries here. A file's may have moved with its length, or be another object's.
    const isTimeKept = after.kind === "directory" && before?.mtimeNs === after.mtimeNs;
    // A directory's says that names have come or gone, which is told for themselves.
    if (!hasOwnTime && !isTimeKept && updateTime(path, after))
      isOther ||= node.kind !== "directory";
    if (current !== node) {
      watched.noteReplaced(node, current);
      invalidateNames(this.#notifier, current);
      return;
    }
    // What has just come is told by its name.
    if (before !== undefined) {
      const isWritten = hasOther && !waits && before.sha256 !== after.sha256;
      if (isWritten || isOther) watched.noteChanged(node, isWritten ? "written" : "attributes");
    }
    this.#notifier.invalidateNode(node.id, namesOf(node));
  }

  /** Others have changed the file to which its content has come: who has it open edits what he knows. */
  #retire(node: CacheNode): void {
    if (node.hasWriter && node.holding.state === "local") node.retiredBase = node.holding.base;
  }

  /** Tells whether the inode's content is what the object's content is now. */
  #isContentOf(node: CacheNode, before: TreeObject | undefined, after: TreeObject): boolean {
    const { holding } = node;
    if (node.unlogged.size > 0) return true;
    // Nobody can fetch what is not sealed; a placeholder has its size all the same.
    if (after.sha256 === null) return node.isPresent;
    if (holding.state === "content") return holding.sha256 === after.sha256;
    if (holding.state !== "local") return false;
    if (this.#versions.isSame(holding.base, after.contentVersion)) return true;
    return before !== undefined && before.sha256 === after.sha256;
  }

  /**
   * Old content stays visible until the new one is fetched; for no content, nothing has to be. That a file
   * is empty is no old content: it was just made, and who opens it before its first content came waits.
   */
  #waitsForContent(node: CacheNode, after: TreeObject): boolean {
    const { holding } = node;
    return (
      this.#keepsOldContent &&
      after.sha256 !== EMPTY_SHA256 &&
      node.isPresent &&
      holding.state === "content" &&
      holding.sha256 !== EMPTY_SHA256 &&
      !node.hasWriter
    );
  }

  /**
   * The content is not here any more: a placeholder takes its names, or is made the new size. Who reads the
   * old one while it comes keeps it, with its node.
   */
  #replaceContent(node: CacheNode, after: TreeObject): CacheNode {
    if (node.isPresent || node.isArriving || after.sha256 === EMPTY_SHA256) {
      const spare = this.#tree.limbo.sparePath();
      return this.#tree.replaceInode(node, spare, makeInode(this.#tree.form, spare, after));
    }
    truncateSync(osPath(this.#tree.nodes.pathOf(node)), after.sizeBytes);
    return node;
  }
}

/** Where directories and objects are on disk now, before the names of a change set have changed. */
class Places {
  readonly #tree: CacheTree;
  readonly #before = new Map<Oid, Entry>();
  readonly #known = new Map<Oid, CacheNode | undefined>();

  constructor(tree: CacheTree, names: readonly NameChange[]) {
    this.#tree = tree;
    for (const { before } of names) if (before !== undefined) this.#before.set(before.oid, before);
    // While all is where it was: afterwards paths lead elsewhere.
    for (const { parent } of names) this.known(parent);
  }

  /** The inode of a directory that has its entries on disk; asked first before anything has moved. */
  known(oid: Oid): CacheNode | undefined {
    if (!this.#known.has(oid)) {
      const node = this.locateObject(oid);
      this.#known.set(oid, node?.isPresent === true ? node : undefined);
    }
    return this.#known.get(oid);
  }

  locateObject(oid: Oid): CacheNode | undefined {
    const met = this.#tree.nodes.ofObject(oid);
    if (met !== undefined) return met;
    const entry = this.#before.get(oid);
    if (entry === undefined) return this.#tree.find(oid);
    const parent = this.locateObject(entry.parent);
    return parent?.isPresent === true ? this.#tree.peek(parent, entry.name) : undefined;
  }
}
