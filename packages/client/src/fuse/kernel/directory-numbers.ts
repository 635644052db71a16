/**
 * Under which number the kernel is told of a directory.
 *
 * Of a directory the kernel has one entry, however it came to know it. Where a look-up finds the directory in
 * another one than before, because others have moved it, the kernel moves its entry there, and what programs have
 * open there, work in or watch goes along. For that it needs two locks which it only tries to take: one is held by
 * every rename from one directory into another, the one that makes the look-up too, and one by who changes the
 * directory in which the entry was. Where it gets them not, the look-up fails with ESTALE, although it was answered as
 * it should be (`__d_unalias` in `fs/dcache.c`); and with ELOOP where the kernel still has the directory that it
 * looks in below the one that it finds there. An entry that nobody uses is just dropped.
 *
 * A call that fails with ESTALE is tried once more by the kernel. So a thread that asks for the same name again at
 * once has failed, and is told of the directory under a number that the kernel has no entry of: for the kernel it is
 * another directory then, with the same inode number and all else. That entry is taken back as soon as the call is
 * over (`onFurther`). Until then, and for who opened the directory by it for as long as he has it open, changes
 * through one number are told to the others.
 *
 * Where the kernel has its entries follows from what it was told. What it has dropped by itself is not known here:
 * then a further number is given where none is needed, which lasts no longer.
 */
import type { Name } from "@izo/core";

import { type NodeId, rootNode } from "../file-system.ts";
import type { KnownNodes } from "./known-nodes.ts";

/** For so long after a look-up its thread may come back because it failed, on a machine with much to do. */
const RETRY_MS = 1000;

/** For so long a call that is tried again may go on to look up names. */
const CALL_MS = 50;

/** More than this is remembered of nothing that lasts for a second. */
const MOST_REMEMBERED = 1000;

/** No path leads through more directories (PATH_MAX). */
const MOST_LEVELS = 4096;

export interface DirectoryNumbersOptions {
  readonly known: KnownNodes;
  readonly nowMs: () => number;
  /** The kernel is about to be told of a further number, under a name in the directory with that number. */
  readonly onFurther: (parent: number, name: Name) => void;
}

/** Look-ups for which the kernel had to move its entry of a directory. */
interface Attempt {
  readonly parent: number;
  readonly name: Name;
  readonly startedMs: number;
  /** Threads that were answered with the directory's own number, and have not come back. */
  readonly askers: Set<number>;
  hasFailed: boolean;
}

export class DirectoryNumbers {
  readonly #options: DirectoryNumbersOptions;
  /** In which directory the kernel has its entry; both by their numbers. */
  readonly #parents = new Map<number, number>();
  /** Directories of which that is not sure: a look-up has failed, and perhaps another one has not. */
  readonly #unsure = new Set<NodeId>();
  readonly #attempts = new Map<NodeId, Attempt>();
  /** Threads whose call failed and is tried again, and since when. */
  readonly #retrying = new Map<number, number>();

  constructor(options: DirectoryNumbersOptions) {
    this.#options = options;
  }

  /**
   * The number to answer a look-up with.
   *
   * @param parent the number of the directory in which it was asked for
   * @param thread who asks
   */
  answer(parent: number, name: Name, node: NodeId, thread: number): number {
    const attempt = this.#recentAttempt(node);
    if (attempt === undefined) {
      const current = this.#parents.get(node) ?? parent;
      this.#parents.set(node, current);
      // Within one directory the kernel needs no lock.
      const isThere = current === parent && !this.#unsure.has(node);
      return isThere ? node : this.#attempt(parent, name, node, thread);
    }
    if (attempt.parent !== parent || attempt.name !== name) {
      this.#settle(node, attempt);
      return this.#attempt(parent, name, node, thread);
    }
    if (!attempt.askers.delete(thread)) {
      attempt.askers.add(thread);
      return node;
    }
    attempt.hasFailed = true;
    remember(this.#retrying, thread, this.#options.nowMs());
    return this.#furtherNumber(parent, name, node);
  }

  /** The kernel has met a directory that it did not know, in a listing of the one with that number. */
  listed(parent: number, node: NodeId): void {
    this.#parents.set(node, parent);
  }

  /**
   * A program has moved a directory from one into another, all by their numbers; the kernel has done so with its entry.
   *
   * @returns the number of that entry, where it is known
   */
  moved(node: NodeId, from: number, to: number, thread: number): number | undefined {
    this.#retrying.delete(thread);
    const attempt = this.#attempts.get(node);
    if (attempt !== undefined) this.#settle(node, attempt);
    const numbers = [...this.#options.known.furtherOf(node), node];
    const moved = numbers.find((number) => this.#parents.get(number) === from);
    if (moved !== undefined) this.#parents.set(moved, to);
    return moved;
  }

  /** The kernel has no entry of that number any more. */
  forgotten(number: number): void {
    this.#parents.delete(number);
    this.#unsure.delete(number);
    this.#attempts.delete(number);
  }

  #attempt(parent: number, name: Name, node: NodeId, thread: number): number {
    const nowMs = this.#options.nowMs();
    const isRetrying = nowMs - (this.#retrying.get(thread) ?? -CALL_MS) < CALL_MS;
    if (isRetrying || this.#isBelow(parent, node)) return this.#furtherNumber(parent, name, node);
    const askers = new Set([thread]);
    remember(this.#attempts, node, { parent, name, startedMs: nowMs, askers, hasFailed: false });
    return node;
  }

  #recentAttempt(node: NodeId): Attempt | undefined {
    const attempt = this.#attempts.get(node);
    if (attempt === undefined || this.#options.nowMs() - attempt.startedMs < RETRY_MS)
      return attempt;
    this.#settle(node, attempt);
    return undefined;
  }

  /** Where nobody has come back, the kernel's entry is where it was looked up. */
  #settle(node: NodeId, { parent, hasFailed }: Attempt): void {
    this.#attempts.delete(node);
    if (hasFailed) {
      this.#unsure.add(node);
      return;
    }
    this.#unsure.delete(node);
    this.#parents.set(node, parent);
  }

  #furtherNumber(parent: number, name: Name, node: NodeId): number {
    const { known, onFurther } = this.#options;
    const isHere = (number: number): boolean => this.#parents.get(number) === parent;
    const number = known.furtherOf(node).find(isHere) ?? known.spareNumber(node);
    if (number === undefined) return node;
    this.#parents.set(number, parent);
    onFurther(parent, name);
    return number;
  }

  /** Whether the kernel has a directory, by its number, in `node` or below it. */
  #isBelow(number: number, node: NodeId): boolean {
    let at: number | undefined = number;
    for (let level = 0; at !== undefined && at !== rootNode && level < MOST_LEVELS; level += 1) {
      if (at === node) return true;
      const attempt = this.#attempts.get(at);
      at = attempt?.hasFailed === false ? attempt.parent : this.#parents.get(at);
    }
    return false;
  }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_REMEMBERED && oldest !== undefined) map.delete(oldest);
}
