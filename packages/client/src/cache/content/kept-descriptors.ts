/**
 * Descriptors of files that were read and closed, kept for whoever reads them next: programs open the same
 * files over and over, and an `open(2)` with all that the kernel's side has to be told of it costs more than
 * the answer.
 *
 * Nobody sees them: a node counts as closed. So they must never stand in the way: whoever takes a node's
 * last name away, or its content, has its descriptor closed at once, so that disk space is free when it
 * should be, and no descriptor leads to another inode than the node has.
 */
import { closeSync } from "node:fs";

import type { NodeId } from "../../fuse/file-system.ts";
import type { CacheNode } from "../tree/cache-node.ts";

/** Some 1 KiB each in the kernel, and far below what one process may have open on any distribution. */
const MOST = 512;

/** Told when a descriptor that was kept is about to be closed. */
export type OnClosed = (node: NodeId, fd: number) => void;

export class KeptDescriptors {
  /** In the order of their last use. */
  readonly #fds = new Map<CacheNode, number>();
  #onClosed: OnClosed | undefined;

  /** Keeps from now on; undefined for not at all any more. */
  connect(onClosed: OnClosed | undefined): void {
    for (const node of Array.from(this.#fds.keys())) this.drop(node);
    this.#onClosed = onClosed;
  }

  /** Takes over a descriptor that was opened for reading alone. False: it is the caller's to close. */
  keep(node: CacheNode, fd: number): boolean {
    if (this.#onClosed === undefined || this.#fds.has(node)) return false;
    this.#fds.set(node, fd);
    if (this.#fds.size > MOST) {
      const [longestAgo] = this.#fds.keys();
      this.drop(longestAgo!);
    }
    return true;
  }

  /** Hands the node's descriptor over, if one is kept. */
  take(node: CacheNode): number | undefined {
    const fd = this.#fds.get(node);
    if (fd !== undefined) this.#fds.delete(node);
    return fd;
  }

  /** Closes the node's descriptor, if one is kept. */
  drop(node: CacheNode): void {
    const fd = this.take(node);
    if (fd === undefined) return;
    this.#onClosed?.(node.id, fd);
    closeSync(fd);
  }
}
