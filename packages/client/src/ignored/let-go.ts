/**
 * A file that others may know gets a name that is ignored here: they see it go.
 *
 * It is linked under the new name, and then its old one is removed, as by any program. So a crash leaves it
 * under its old name, or under both; then the next start removes the old one. What it replaces waits under a
 * name of its own until that is done.
 */
import { linkSync, unlinkSync } from "node:fs";

import { kindOfMode, linkCount, type Name, resolveOid } from "@izo/core";
import { AT_FDCWD, renameat2 } from "@izo/sys";

import { statInode } from "../cache/inode/inode.ts";
import type { CacheNode, NodeLink } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import type { CacheTree } from "../cache/tree/cache-tree.ts";
import { dropName } from "../filter/drop-name.ts";
import type { IgnoredTree } from "./ignored-tree.ts";

const WAITING = ".izo-replaced-";

export class LetGo {
  readonly #tree: CacheTree;
  readonly #ignored: IgnoredTree;

  constructor(tree: CacheTree, ignored: IgnoredTree) {
    this.#tree = tree;
    this.#ignored = ignored;
  }

  /**
   * Moves a file of the cache tree to a name in the ignored one; its node keeps its number.
   *
   * @param remove takes the old name away, with a record; it can fail
   * @returns false for what cannot be moved: directories, what has other names, or is not all here
   */
  one(from: NodeLink, directory: CacheNode, newName: Name, remove: () => void): boolean {
    const { nodes } = this.#tree;
    const moved = this.#tree.child(from.parent, from.name);
    if (moved === undefined || !this.#canGo(moved)) return false;
    const target = this.#ignored.child(directory, newName);
    if (target?.kind === "directory") return false;
    const path = osPath(nodes.pathIn(from.parent, from.name));
    const newPath = osPath(this.#ignored.nodes.pathIn(directory, newName));
    if (target === undefined) {
      linkSync(path, newPath);
      orUndo(remove, () => unlinkSync(newPath));
    } else {
      const waiting = this.#ignored.nodes.pathIn(directory, `${WAITING}${moved.oid}` as Name);
      const exchange = (): void =>
        renameat2(AT_FDCWD, waiting, AT_FDCWD, newPath, { exchange: true });
      dropName(this.#ignored, directory, newName, () => {
        linkSync(path, waiting);
        orUndo(exchange, () => unlinkSync(waiting));
        orUndo(remove, () => {
          exchange();
          unlinkSync(waiting);
        });
        unlinkSync(waiting);
      });
    }
    this.#goOn(moved, directory, newName);
    return true;
  }

  /**
   * Finishes what a crash has cut off. Takes a stat per ignored entry.
   *
   * @param remove takes a name of the cache tree away, with a record
   */
  recover(remove: (link: NodeLink) => void): void {
    for (const parent of this.#ignored.parents())
      this.#recoverIn(this.#ignored.pathOf(parent), this.#ignored.within(parent), remove);
  }

  #recoverIn(
    path: string,
    directory: CacheNode | undefined,
    remove: (link: NodeLink) => void,
  ): void {
    if (directory === undefined) return;
    for (const name of this.#ignored.list(directory)) {
      const at = `${path}/${name}`;
      const stat = this.#ignored.form.stat(at);
      if (stat === undefined) continue;
      const kind = kindOfMode(stat.mode);
      if (kind === "directory") {
        this.#recoverIn(at, this.#ignored.child(directory, name), remove);
      } else if (name.startsWith(WAITING)) {
        unlinkSync(osPath(at));
        this.#ignored.nodes.unlink(directory, name);
      } else if (stat.nlink > 1) {
        const link = this.#otherName(at, stat.ino);
        if (link !== undefined) remove(link);
      }
    }
    this.#ignored.tidy(directory);
  }

  /** The name of an ignored inode in the cache tree. */
  #otherName(path: string, ino: bigint): NodeLink | undefined {
    const { nodes, form, visible } = this.#tree;
    const mark = form.readMark(path);
    const node = mark && this.#tree.find(resolveOid(mark.oid, visible));
    const link = node?.links[0];
    if (node === undefined || link === undefined) return undefined;
    return statInode(nodes.pathOf(node))?.ino === ino ? link : undefined;
  }

  #canGo(node: CacheNode): boolean {
    const object = this.#tree.objectOf(node);
    if (object === undefined || node.kind === "directory" || node.links.length > 1) return false;
    if (linkCount(this.#tree.visible, object.oid, 2) > 1) return false;
    if (node.kind !== "file") return true;
    if (node.isArriving || node.retiredBase !== undefined) return false;
    const { holding } = node;
    return (
      holding.state === "local" || (holding.state === "content" && holding.sha256 === object.sha256)
    );
  }

  /** Who knows the node has that of the ignored tree from here on. */
  #goOn(moved: CacheNode, directory: CacheNode, name: Name): void {
    const { nodes } = this.#tree;
    const stat = this.#ignored.form.stat(this.#ignored.nodes.pathIn(directory, name));
    if (stat === undefined) return;
    if (!nodes.has(moved.id)) {
      this.#ignored.adopt(directory, name, stat);
      return;
    }
    nodes.giveUp(moved);
    moved.dropRemains();
    this.#ignored.adopt(directory, name, stat, moved.id).takeOver(moved);
  }
}

function orUndo(work: () => void, undo: () => void): void {
  try {
    work();
  } catch (error) {
    undo();
    throw error;
  }
}
