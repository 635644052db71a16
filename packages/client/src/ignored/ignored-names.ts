/** Operations on names in the ignored tree: as those of the filter, without any record. */
import { closeSync, linkSync, mkdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from "node:fs";

import { type Name, NO_RECNO, textToBytes, type TreeObject } from "@izo/core";
import { AT_FDCWD, renameat2 } from "@izo/sys";

import { DEFAULT_ACL } from "../cache/inode/access-control-list.ts";
import type { InodeForm } from "../cache/inode/inode-form.ts";
import { giveAttributes, giveAttributesAt, type InodeAttributes } from "../cache/inode/inode.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { dropName } from "../filter/drop-name.ts";
import { type Heritage, newAttributes } from "../filter/new-attributes.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller } from "../fuse/file-system.ts";
import type { IgnoredTree } from "./ignored-tree.ts";

/** Where a new entry goes. */
export interface NewPlace {
  readonly directory: CacheNode;
  readonly name: Name;
  /** On disk, the directory that programs see: what is made inherits of it. */
  readonly heritagePath: string;
}

/** What mkdir(2) and its like ask for. */
export interface NewEntry {
  readonly kind: TreeObject["kind"];
  readonly mode: number;
  /** Of a symlink, escaped like a name. */
  readonly target?: string;
  /** Of a device. */
  readonly rdev?: number;
}

export class IgnoredNames {
  readonly #tree: IgnoredTree;
  readonly #stampNs: () => bigint;

  /** @param stampNs now, for inodes */
  constructor(tree: IgnoredTree, stampNs: () => bigint) {
    this.#tree = tree;
    this.#stampNs = stampNs;
  }

  /** Makes what has no content; the node with a reference. */
  make(place: NewPlace, entry: NewEntry, caller: Caller): CacheNode {
    if (entry.kind === "file") {
      const { node, fd } = this.create(place, entry.mode, caller);
      closeSync(fd);
      return node;
    }
    const { form } = this.#tree;
    const path = this.#tree.nodes.pathIn(place.directory, place.name);
    const attributes = this.#attributesOf(place, entry, caller);
    switch (entry.kind) {
      case "directory":
        mkdirSync(osPath(path), 0o700);
        break;
      case "symlink":
        form.makeSymlink(path, Buffer.from(textToBytes(entry.target ?? "")));
        break;
      case "special":
        form.makeSpecial(path, attributes.mode, entry.rdev ?? 0);
        break;
    }
    return this.#finish(place, path, () => giveAttributesAt(form, path, attributes));
  }

  /** Makes a file; the node with a reference, and a descriptor that can do everything. */
  create(place: NewPlace, mode: number, caller: Caller): { node: CacheNode; fd: number } {
    const { form, nodes } = this.#tree;
    const path = nodes.pathIn(place.directory, place.name);
    const attributes = this.#attributesOf(place, { kind: "file", mode }, caller);
    const fd = form.makeFile(path, attributes.mode);
    try {
      return { node: this.#finish(place, path, () => giveAttributes(form, fd, attributes)), fd };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  link(node: CacheNode, directory: CacheNode, name: Name): void {
    const { nodes } = this.#tree;
    linkSync(osPath(nodes.pathOf(node)), osPath(nodes.pathIn(directory, name)));
    nodes.link(node, directory, name);
  }

  /** unlink(2) or rmdir(2). */
  remove(directory: CacheNode, name: Name, isDirectory: boolean): void {
    const path = osPath(this.#tree.nodes.pathIn(directory, name));
    dropName(this.#tree, directory, name, () => (isDirectory ? rmdirSync : unlinkSync)(path));
    this.#tree.tidy(directory);
  }

  /** What stands under the new name is replaced, as far as rename(2) does that. */
  rename(from: CacheNode, name: Name, to: CacheNode, newName: Name): void {
    const { nodes } = this.#tree;
    const [moved, target] = [this.#tree.child(from, name), this.#tree.child(to, newName)];
    if (moved === undefined) throw new ErrnoError("ENOENT", "Cannot rename: it is gone");
    // Two names of one file: rename(2) then does nothing.
    if (moved === target) return;
    const move = (): void =>
      renameSync(osPath(nodes.pathIn(from, name)), osPath(nodes.pathIn(to, newName)));
    if (target === undefined) move();
    else dropName(this.#tree, to, newName, move);
    nodes.move(moved, { parent: from, name }, to, newName);
    this.#tree.tidy(from);
  }

  /** RENAME_EXCHANGE of renameat2(2). */
  exchange(from: CacheNode, name: Name, to: CacheNode, newName: Name): void {
    const { nodes } = this.#tree;
    const [a, b] = [this.#tree.child(from, name), this.#tree.child(to, newName)];
    if (a === undefined || b === undefined)
      throw new ErrnoError("ENOENT", "Cannot exchange: one of them is gone");
    if (a === b) return;
    const [pathA, pathB] = [nodes.pathIn(from, name), nodes.pathIn(to, newName)];
    renameat2(AT_FDCWD, osPath(pathA), AT_FDCWD, osPath(pathB), { exchange: true });
    nodes.exchange(a, { parent: from, name }, b, { parent: to, name: newName });
  }

  #attributesOf({ heritagePath }: NewPlace, entry: NewEntry, caller: Caller): InodeAttributes {
    const { form } = this.#tree;
    const attributes = newAttributes(form, heritageAt(form, heritagePath), entry, caller);
    return { kind: entry.kind, ...attributes, mtimeNs: this.#stampNs() };
  }

  /** An inode that could not be finished is taken away again. */
  #finish({ directory, name }: NewPlace, path: string, finish: () => void): CacheNode {
    try {
      finish();
      const stat = this.#tree.form.stat(path);
      if (stat === undefined) throw new ErrnoError("ENOENT", "Cannot make it: it is gone");
      const node = this.#tree.adopt(directory, name, stat);
      // It is new: nothing is in it that was not made through here.
      node.knowsAllChildren = node.kind === "directory";
      node.references += 1;
      return node;
    } catch (error) {
      rmSync(osPath(path), { recursive: true, force: true });
      throw error;
    }
  }
}

function heritageAt(form: InodeForm, path: string): Heritage | undefined {
  const stat = form.stat(path);
  if (stat === undefined) return undefined;
  const value = form.getXattr(path, DEFAULT_ACL);
  const xattrs: Heritage["xattrs"] =
    value === undefined ? new Map() : new Map([[DEFAULT_ACL, { value, version: NO_RECNO }]]);
  return { mode: stat.mode, gid: stat.gid, xattrs };
}
