/**
 * What is ignored on this mount, on disk: `ignored/<oid>/` holds the ignored entries of the directory with
 * that id, and all that is below them (docs/decisions/0018). They are plain inodes of the cache's form,
 * without marks, under plain names: they are what programs have made, no record tells of them, and a crash
 * leaves them as it leaves the files of any local directory.
 *
 * By the id and not by the path: whoever moves a directory moves what is ignored in it, with no work here.
 */
import { mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";

import { bytesToText, isId, type Name, type Oid, kindOfMode } from "@izo/core";
import type { Stat } from "@izo/sys";

import type { InodeForm } from "../cache/inode/inode-form.ts";
import { WHOLE } from "../cache/inode/object-mark.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import type { NodeIds } from "../cache/tree/node-ids.ts";
import { NodeTable } from "../cache/tree/node-table.ts";
import type { Inodes } from "../filter/drop-name.ts";
import type { NodeId } from "../fuse/file-system.ts";

export interface IgnoredTreeOptions {
  /** `ignored/` of the cache; made when it is first needed. */
  readonly path: string;
  /** Where names are that are on their way; on the same file system. */
  readonly limbo: string;
  readonly form: InodeForm;
  readonly ids: NodeIds;
}

export class IgnoredTree implements Inodes {
  readonly nodes: NodeTable;
  readonly form: InodeForm;
  readonly #path: string;
  /** The directories in which something is ignored. */
  readonly #parents: Set<Oid>;

  constructor({ path, limbo, form, ids }: IgnoredTreeOptions) {
    this.#path = path;
    this.form = form;
    this.nodes = new NodeTable({ tree: path, limbo, rootId: ids.next(), ids });
    this.#parents = new Set(readParents(path));
  }

  /** Nothing is ignored anywhere: most mounts. */
  get isEmpty(): boolean {
    return this.#parents.size === 0;
  }

  /** The directories in which something is ignored; also those that are removed. */
  parents(): Oid[] {
    return [...this.#parents];
  }

  has(parent: Oid): boolean {
    return this.#parents.has(parent);
  }

  /** Where the ignored entries of a directory are on disk. */
  pathOf(parent: Oid): string {
    return `${this.#path}/${parent}`;
  }

  /** The directory on disk that holds the ignored entries of another; undefined where there are none. */
  within(parent: Oid): CacheNode | undefined {
    if (!this.#parents.has(parent)) return undefined;
    const directory = this.child(this.nodes.root, nameOf(parent));
    if (directory?.knowsAllChildren === false) this.#meetAll(directory);
    return directory;
  }

  /** Every name that is looked up in a directory with something ignored is asked for here first. */
  #meetAll(directory: CacheNode): void {
    // Before, so that a table that gets too large meanwhile can say that it is not so.
    directory.knowsAllChildren = true;
    for (const name of this.list(directory)) this.#meet(directory, name);
  }

  /** {@link within}, made where it is missing. */
  make(parent: Oid): CacheNode {
    const found = this.within(parent);
    if (found !== undefined) return found;
    mkdirSync(this.pathOf(parent), { recursive: true, mode: 0o700 });
    this.#parents.add(parent);
    return this.child(this.nodes.root, nameOf(parent))!;
  }

  /** Whose ignored entries a directory of this tree holds; undefined for one that is itself ignored. */
  parentOf(directory: CacheNode): Oid | undefined {
    const link = directory.links[0];
    return link?.parent === this.nodes.root ? (link.name as string as Oid) : undefined;
  }

  /** The ignored entries of a directory. */
  namesIn(parent: Oid): Name[] {
    const directory = this.within(parent);
    return directory === undefined ? [] : this.list(directory);
  }

  list(directory: CacheNode): Name[] {
    const names = readdirSync(osPath(this.nodes.pathOf(directory)), { encoding: "buffer" });
    return names.map((bytes) => bytesToText(bytes) as Name);
  }

  /** The node of a name, or undefined. */
  child(directory: CacheNode, name: Name): CacheNode | undefined {
    const known = directory.children.get(name);
    return known !== undefined || directory.knowsAllChildren ? known : this.#meet(directory, name);
  }

  #meet(directory: CacheNode, name: Name): CacheNode | undefined {
    const known = directory.children.get(name);
    if (known !== undefined) return known;
    const stat = this.form.stat(this.nodes.pathIn(directory, name));
    return stat && this.adopt(directory, name, stat);
  }

  /**
   * Takes an inode that is on disk into the table, or one more name of one that is there.
   *
   * @param id the number of a node that another table has given up
   */
  adopt(directory: CacheNode, name: Name, stat: Stat, id?: NodeId): CacheNode {
    const inode = inodeOid(stat);
    const met = this.nodes.ofObject(inode);
    const kind = kindOfMode(stat.mode);
    const node = met?.kind === kind ? met : this.nodes.add(inode, kind, WHOLE, id);
    this.nodes.link(node, directory, name);
    return node;
  }

  /** An entry has left a directory: where it was the last, nothing is ignored there any more. */
  tidy(directory: CacheNode): void {
    const parent = this.parentOf(directory);
    if (parent === undefined || this.list(directory).length > 0) return;
    rmdirSync(this.pathOf(parent));
    this.#parents.delete(parent);
    this.nodes.unlink(this.nodes.root, nameOf(parent));
  }

  /**
   * What is in a directory of this tree is from now on what is ignored in another one, in one step.
   *
   * @param parent in which nothing is ignored yet
   */
  rekey(directory: CacheNode, name: Name, parent: Oid): void {
    const moved = this.child(directory, name);
    if (moved === undefined) return;
    renameSync(osPath(this.nodes.pathIn(directory, name)), this.pathOf(parent));
    this.nodes.move(moved, { parent: directory, name }, this.nodes.root, nameOf(parent));
    this.#parents.add(parent);
    if (directory === this.nodes.root) this.#parents.delete(name as string as Oid);
    this.tidy(directory);
    this.tidy(moved);
  }
}

/** In this table a node is known by its inode, as no object stands for it. */
function inodeOid({ ino }: Stat): Oid {
  return ino.toString(16).padStart(32, "0") as Oid;
}

function nameOf(parent: Oid): Name {
  return parent as string as Name;
}

function readParents(path: string): Oid[] {
  try {
    return readdirSync(path).filter(isId);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
