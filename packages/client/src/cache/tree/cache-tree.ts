/**
 * The cache tree: a real directory tree whose names and attributes are those of the visible tree, made
 * directory by directory when somebody first looks (design C1). Until then a directory is in the index
 * only.
 *
 * The file system asks it for nodes and paths and then acts on the paths; replay changes it through
 * `ChangeApplier`. A crash loses nothing here: what a directory holds is made before its mark says that
 * it is whole, and is made again where the mark was not reached.
 */
import { renameSync } from "node:fs";

import {
  type Base,
  type Entry,
  type Name,
  type Oid,
  type StateReader,
  type TreeObject,
  kindOfMode,
  linkCount,
} from "@izo/core";
import { AT_FDCWD, linkat, type Stat } from "@izo/sys";

import { rootNode } from "../../fuse/file-system.ts";
import type { ContentsAtHand } from "../content/contents-at-hand.ts";
import type { InodeForm } from "../inode/inode-form.ts";
import { InodeMarks } from "../inode/inode-marks.ts";
import { statInode, updateAttributes, updateTime } from "../inode/inode.ts";
import type { Holding, ObjectMark } from "../inode/object-mark.ts";
import type { ShownTimes } from "../inode/shown-times.ts";
import { withUnchangedTimes } from "../inode/unchanged-times.ts";
import type { CacheNode } from "./cache-node.ts";
import { type CachePaths, osPath } from "./cache-paths.ts";
import { Limbo } from "./limbo.ts";
import { Materializer } from "./materializer.ts";
import type { NodeIds } from "./node-ids.ts";
import { NodeTable } from "./node-table.ts";
import { openRoot } from "./open-root.ts";
import { rescue, rescueCopy } from "./rescue.ts";
import { takePlace } from "./take-place.ts";

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
  /** An object has lost its last name. */
  readonly onNameless?: ((oid: Oid) => void) | undefined;
  /** What the inodes showed before this process met them. */
  readonly shownTimes?: ShownTimes;
}

export class CacheTree {
  readonly nodes: NodeTable;
  /** How its inodes show their objects. */
  readonly form: InodeForm;
  /** What its inodes hold. */
  readonly marks: InodeMarks;
  /** Where its inodes are when they have no name in it. */
  readonly limbo: Limbo;
  readonly #materializer: Materializer;
  readonly #visible: () => StateReader;
  readonly #onProblem: ProblemReporter;
  readonly #rescuePath: string;
  readonly #shownTimes: ShownTimes | undefined;

  /** @throws CacheMarksLostError */
  constructor(options: CacheTreeOptions) {
    const { paths, form, ids, visible, onProblem, isPending, onNameless, shownTimes } = options;
    const onForgotten = (node: CacheNode): void => shownTimes?.keep(node);
    const nodes = new NodeTable({ ...paths, rootId: rootNode, ids, onNameless, onForgotten });
    this.#shownTimes = shownTimes;
    const peek = (directory: CacheNode, name: Name): CacheNode | undefined =>
      this.peek(directory, name);
    this.form = form;
    this.nodes = nodes;
    this.marks = new InodeMarks(nodes, form);
    this.limbo = new Limbo({ nodes, path: paths.limbo, peek, isPending, onProblem });
    this.#materializer = new Materializer({
      form,
      nodes,
      marks: this.marks,
      limbo: this.limbo,
      visible,
      peek,
      find: (oid) => this.find(oid),
      rescue: (path) => this.rescue(path),
      onProblem,
    });
    this.#visible = visible;
    this.#onProblem = onProblem;
    this.#rescuePath = paths.rescue;
    nodes.root.holding = openRoot(form, paths.tree);
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
    const isMet = met !== undefined && met.kind !== "directory" && this.#inoOf(met) === stat.ino;
    const node = isMet ? met : this.nodes.add(oid, kindOfMode(stat.mode), holding);
    if (!isMet) node.shownCtime = this.#shownTimes?.of(oid, stat.ctimeNs);
    this.nodes.link(node, parent, name);
    node.namesToCome = undefined;
    return node;
  }

  /**
   * How many names the object of an inode has.
   *
   * @param links those of the inode itself, as its stat says
   */
  countNames(node: CacheNode, links: number): number {
    node.namesToCome ??= this.#countNamesToCome(node);
    return links + node.namesToCome;
  }

  #countNamesToCome({ oid, kind, links }: CacheNode): number {
    if (kind === "directory" || links.length === 0 || linkCount(this.visible, oid, 2) < 2) return 0;
    const isMade = (parent: Oid): boolean => this.find(parent)?.isPresent === true;
    return this.visible.links(oid).filter(({ parent }) => !isMade(parent)).length;
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

  /**
   * Takes the names of an inode that are on the disk into the table: of those that nobody has asked for since the start
   * it knows nothing, and what is done to all names would leave them out.
   */
  meetNames({ oid, kind }: CacheNode): void {
    if (kind === "directory" || linkCount(this.visible, oid, 2) < 2) return;
    for (const { parent, name } of this.visible.links(oid)) {
      const directory = this.find(parent);
      if (directory?.isPresent === true) this.peek(directory, name);
    }
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

  /** As of {@link Materializer}. */
  list(directory: CacheNode, atHand?: ContentsAtHand): void {
    this.#materializer.list(directory, atHand);
  }

  /** As of {@link Materializer}. */
  place(parent: CacheNode, entry: Pick<Entry, "name" | "oid">, atHand?: ContentsAtHand): void {
    this.#materializer.place(parent, entry, atHand);
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
    this.meetNames(node);
    const directories = new Set(node.links.map(({ parent }) => parent));
    const concerned = [...directories, ...(goesOn ? [node] : [])];
    return withUnchangedTimes(this.nodes, concerned, () =>
      this.#replaceInode(node, path, holding, { goesOn, isArrived }),
    );
  }

  #replaceInode(
    node: CacheNode,
    path: string,
    holding: Holding,
    { goesOn, isArrived }: { readonly goesOn: boolean; readonly isArrived: boolean },
  ): CacheNode {
    const [first, ...others] = node.links;
    if (first === undefined) return node;
    const keptName = this.limbo.isNeeded(node) ? this.limbo.linkInto(node) : undefined;
    for (const { parent, name } of others) {
      const spare = this.limbo.sparePath();
      linkat(AT_FDCWD, osPath(path), AT_FDCWD, osPath(spare));
      renameSync(osPath(spare), osPath(this.nodes.pathIn(parent, name)));
    }
    const place = this.nodes.pathIn(first.parent, first.name);
    if (isArrived) takePlace(path, place);
    else renameSync(osPath(path), osPath(place));
    if (goesOn) {
      node.holding = holding;
      node.noteMarkWritten();
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
      if (standing !== undefined) this.limbo.displace(standing, { parent: directory, name });
      this.nodes.setOid(node, node.oid);
      this.place(directory, { name, oid: node.oid });
    }
    // They have changed for another inode meanwhile, or are another object's.
    const object = this.objectOf(node);
    if (object !== undefined && node.isNamed) {
      updateAttributes(this.form, this.nodes.pathOf(node), object);
    }
    node.retiredBase = undefined;
    this.limbo.sweep();
  }

  /** Puts aside what nothing explains, and says so. */
  rescue(path: string): void {
    this.#onProblem(path, rescue(path, this.#rescuePath));
  }

  /** Keeps a copy of what is not shown any more, and says so. */
  rescueCopy(path: string): void {
    this.#onProblem(path, rescueCopy(path, this.#rescuePath));
  }
}
