/**
 * Limbo: where inodes are between two names, those that lost theirs while somebody may still write to them or
 * while the server has not got their content, and those in the making. A directory beside the cache tree.
 *
 * A crash loses nothing of it: recovery finds each by its mark, and gives it to whom it belongs.
 */
import { readdirSync, renameSync, rmSync } from "node:fs";

import { type Base, bytesToText, type Name } from "@izo/core";
import { AT_FDCWD, linkat } from "@izo/sys";

import type { CacheNode, NodeLink } from "./cache-node.ts";
import { osPath } from "./cache-paths.ts";
import type { NodeTable } from "./node-table.ts";

const REMOVED = "removed-";

export interface LimboOptions {
  readonly nodes: NodeTable;
  /** Its directory. */
  readonly path: string;
  /** The node of a name that is on disk; makes nothing. */
  readonly peek: (directory: CacheNode, name: Name) => CacheNode | undefined;
  /** Tells whether local content of this version waits for the server. */
  readonly isPending: (version: Base) => boolean;
  /** What could not be removed. */
  readonly onProblem: (path: string, error: unknown) => void;
}

export class Limbo {
  readonly #options: LimboOptions;
  #count: number;

  constructor(options: LimboOptions) {
    this.#options = options;
    // What an earlier process has left there may still be needed: no name is used twice.
    this.#count = highestNumber(readdirSync(options.path));
  }

  /** A free path, for an inode in the making. */
  sparePath(): string {
    return this.#pathOf(this.#next("spare-"));
  }

  /** A free path, for a content whose removal is not durable yet; see {@link isRemovedContent}. */
  removedPath(): string {
    return this.#pathOf(this.#next(REMOVED));
  }

  /** Takes a name out of the tree, with all that is below it. What nobody claims is removed by {@link sweep}. */
  displace(node: CacheNode, link: NodeLink): void {
    this.move(node, link, this.#options.nodes.limbo, this.#next("displaced-"));
  }

  /** Gives an inode another name, in limbo or out of it. */
  move(node: CacheNode, from: NodeLink, parent: CacheNode, name: Name): void {
    const { nodes } = this.#options;
    renameSync(osPath(nodes.pathIn(from.parent, from.name)), osPath(nodes.pathIn(parent, name)));
    nodes.move(node, from, parent, name);
  }

  /** Gives an inode one more name, in limbo, that is not in the table yet. */
  linkInto(node: CacheNode): Name {
    const name = this.#next("kept-");
    linkat(
      AT_FDCWD,
      osPath(this.#options.nodes.pathOf(node)),
      AT_FDCWD,
      osPath(this.#pathOf(name)),
    );
    return name;
  }

  /** Tells whether an inode has to stay when it loses its names. */
  isNeeded(node: CacheNode): boolean {
    return node.hasWriter || this.isOnlyHere(node);
  }

  /** Tells whether the inode is the only place where its content is. */
  isOnlyHere({ holding }: CacheNode): boolean {
    return holding.state === "local" && this.#options.isPending(holding.base);
  }

  /**
   * Removes what no name claims any more, except what a program may still write to, and what the server has
   * not got yet.
   */
  sweep(): void {
    const { nodes, onProblem } = this.#options;
    for (const [name, node] of Array.from(nodes.limbo.children)) {
      if (this.isNeeded(node) && node.links.length === 1) continue;
      const path = this.#pathOf(name);
      try {
        if (node.kind === "directory") this.#keepNeeded(node);
        rmSync(osPath(path), { recursive: true, force: true });
        this.#forgetBelow(node);
        nodes.unlink(nodes.limbo, name);
      } catch (error) {
        onProblem(path, error);
      }
    }
  }

  /**
   * Takes out of a directory that goes what is needed still. What others remove is taken out name by name
   * before; this is for what no record explains, as by a server that is wrong.
   */
  #keepNeeded(directory: CacheNode): void {
    const { nodes, peek } = this.#options;
    if (!directory.isPresent) return;
    for (const bytes of readdirSync(osPath(nodes.pathOf(directory)), { encoding: "buffer" })) {
      const name = bytesToText(bytes) as Name;
      const node = peek(directory, name);
      if (node?.kind === "directory") this.#keepNeeded(node);
      else if (node !== undefined && this.isNeeded(node))
        this.displace(node, { parent: directory, name });
    }
  }

  #forgetBelow(directory: CacheNode): void {
    for (const [name, node] of Array.from(directory.children)) {
      this.#forgetBelow(node);
      this.#options.nodes.unlink(directory, name);
    }
  }

  #next(sort: string): Name {
    this.#count += 1;
    return `${sort}${this.#count}` as Name;
  }

  #pathOf(name: Name): string {
    const { nodes } = this.#options;
    return nodes.pathIn(nodes.limbo, name);
  }
}

/** Tells whether a name in limbo is that of a content that was removed. */
export function isRemovedContent(name: Name): boolean {
  return name.startsWith(REMOVED);
}

function highestNumber(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0)));
}
