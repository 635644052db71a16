/**
 * From the paths of a path-based binding to nodes.
 *
 * Remembers the node of each directory that was resolved, so that an operation costs one look-up and
 * not one per component. That is also what the kernel was told: a directory that was moved behind the
 * mount is still reached under its old path by those who are inside, until its entry is invalidated.
 * The binding hides the kernel's FORGET, so remembered directories are given back only when they are
 * renamed over, removed, invalidated or replaced.
 */
import type { Name } from "@izo/core";

import { ErrnoError } from "../errno.ts";
import { type FileSystem, type NodeId, rootNode } from "../file-system.ts";
import { nameFromKernel } from "./kernel-names.ts";

/** Where a path leads: the directory that holds it, and its name there. */
export interface Place {
  readonly parent: NodeId;
  readonly name: Name;
}

/** Of a path "/a/b": "/a" and "b"; of "/a": "/" and "a". */
export function splitPath(path: string): { directory: string; base: string } {
  const slash = path.lastIndexOf("/");
  return { directory: slash <= 0 ? "/" : path.slice(0, slash), base: path.slice(slash + 1) };
}

export class NodePaths {
  readonly #fileSystem: FileSystem;
  readonly #directories = new Map<string, NodeId>([["/", rootNode]]);
  readonly #paths = new Map<NodeId, string>([[rootNode, "/"]]);

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  /** The parent and name of `path`. @throws ErrnoError ENOENT, EILSEQ. */
  place(path: string): Place {
    const { directory, base } = splitPath(path);
    return { parent: this.directory(directory), name: nameFromKernel(base) };
  }

  /** The node of a directory on the way to something else; stays remembered. */
  directory(path: string): NodeId {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const { parent, name } = this.place(path);
    const node = this.#fileSystem.lookup(parent, name);
    if (node === undefined) throw absent(path);
    this.#remember(path, node);
    return node;
  }

  /** A look-up just gave `node` for the directory at `path`: the reference moves to this table. */
  adopt(path: string, node: NodeId): void {
    if (this.#directories.get(path) === node) this.#fileSystem.forget(node);
    else this.#remember(path, node);
  }

  /** The path under which the kernel knows a directory; undefined when it was never told of it. */
  pathOf(directory: NodeId): string | undefined {
    return this.#paths.get(directory);
  }

  /** The entry at `path` may be another one now. What is still there stays known, with all below it. */
  refresh(path: string): void {
    if (!this.#directories.has(path)) return;
    const { parent, name } = this.place(path);
    const node = this.#fileSystem.lookup(parent, name);
    if (node === undefined) this.drop(path);
    else this.adopt(path, node);
  }

  /** The entry at `path`, and all below it, mean nothing any more. */
  drop(path: string): void {
    for (const [known, node] of this.#below(path)) {
      this.#directories.delete(known);
      if (this.#paths.get(node) === known) this.#paths.delete(node);
      this.#fileSystem.forget(node);
    }
  }

  /** What was at `from`, with all below it, is now at `to`; what was at `to` is gone, or now at `from`. */
  move(from: string, to: string, isExchange: boolean): void {
    const moved = this.#below(from);
    const other = this.#below(to);
    if (!isExchange) this.drop(to);
    for (const [known] of [...moved, ...(isExchange ? other : [])]) this.#directories.delete(known);
    this.#rebase(moved, from, to);
    if (isExchange) this.#rebase(other, to, from);
  }

  #rebase(entries: [string, NodeId][], from: string, to: string): void {
    for (const [known, node] of entries) {
      const path = to + known.slice(from.length);
      this.#directories.set(path, node);
      this.#paths.set(node, path);
    }
  }

  #remember(path: string, node: NodeId): void {
    this.drop(path);
    this.#directories.set(path, node);
    this.#paths.set(node, path);
  }

  /** Remembered directories at `path` and below. A scan: renames of directories are rare, look-ups are not. */
  #below(path: string): [string, NodeId][] {
    if (path === "/") return [];
    // Most names are files: nothing below what is no directory.
    if (!this.#directories.has(path)) return [];
    const prefix = `${path}/`;
    return [...this.#directories].filter(([known]) => known === path || known.startsWith(prefix));
  }
}

/** The error of a path that leads nowhere. */
export function absent(path: string): ErrnoError {
  return new ErrnoError("ENOENT", `Cannot find ${JSON.stringify(path)}: no such entry`);
}
