/**
 * Files that are written without pause: their writer never closes them, or they are opened again before
 * they can be hashed (design D9). At a stated interval what they hold is logged, and sealed from a copy,
 * so that others have it at last.
 *
 * It holds nothing that a crash could lose: what was not logged is found by recovery.
 */
import type { Sha256 } from "@izo/core";
import { fstat, type Stat } from "@izo/sys";

import type { CacheNode } from "../tree/cache-node.ts";

/** How long a change of a file that stays open waits for its record, by default. */
export const COPY_EVERY_MS = 30_000;

/** Looks per interval: each is a walk over the files that are being written. */
const LOOKS_PER_INTERVAL = 4;

type CopiedStat = Pick<Stat, "size" | "mtimeNs" | "ctimeNs">;

interface Writing {
  readonly begunMs: number;
  /** When the first change was made that no sealed record has. */
  sinceMs: number;
  /** How often the file had been opened for writing by then. */
  generation: number;
  /** What was sealed from a copy last, and how the file was then. */
  copied: { readonly sha256: Sha256; readonly stat: CopiedStat } | undefined;
}

/** A file that has been written for longer than the interval. */
export interface LongWritten {
  readonly node: CacheNode;
  /** In milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface LongWritesOptions {
  readonly everyMs: number;
  readonly nowMs: () => number;
  /** Puts what a file holds into the log, as an open CLOSE. */
  readonly log: (node: CacheNode) => void;
  /** A file's content could not be logged; it is tried again. */
  readonly onProblem: (node: CacheNode, error: unknown) => void;
  /** Open CLOSEs of files that are written without pause are to be sealed now. */
  readonly onDue: () => void;
  readonly hasOpenClose: (node: CacheNode) => boolean;
  /** Tells whether a copy still waits for the server: the next one comes after it. */
  readonly isKept: (sha256: Sha256) => boolean;
}

export class LongWrites implements Disposable {
  readonly #options: LongWritesOptions;
  readonly #writings = new Map<CacheNode, Writing>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LongWritesOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A program is about to change the file. */
  note(node: CacheNode): void {
    if (this.#writings.has(node)) return;
    const { everyMs, nowMs } = this.#options;
    const begunMs = nowMs();
    const { generation } = node;
    this.#writings.set(node, { begunMs, sinceMs: begunMs, generation, copied: undefined });
    this.#timer ??= setInterval(() => this.#look(), everyMs / LOOKS_PER_INTERVAL).unref();
  }

  /** Tells whether it is time to seal the file from a copy: there was no pause in which to seal itself. */
  isDue(node: CacheNode): boolean {
    const writing = this.#writings.get(node);
    if (writing === undefined || !hasNoPause(node, writing)) return false;
    const { everyMs, nowMs, isKept } = this.#options;
    const { copied, sinceMs } = writing;
    return nowMs() - sinceMs >= everyMs && !(copied !== undefined && isKept(copied.sha256));
  }

  /** The file itself was sealed. */
  noteSealed(node: CacheNode): void {
    this.#writings.delete(node);
  }

  /** @param stat of the file when the copy was begun */
  noteCopied(node: CacheNode, sha256: Sha256, stat: CopiedStat): void {
    const writing = this.#writings.get(node);
    if (writing === undefined) return;
    writing.sinceMs = this.#options.nowMs();
    writing.generation = node.generation;
    writing.copied = { sha256, stat };
  }

  /** Files that have had no pause for longer than the interval, in the order in which that began. */
  list(): LongWritten[] {
    const { everyMs, nowMs } = this.#options;
    return [...this.#writings]
      .filter(([node, writing]) => node.isNamed && hasNoPause(node, writing))
      .map(([node, { begunMs }]) => ({ node, sinceMs: begunMs }))
      .filter(({ sinceMs }) => nowMs() - sinceMs >= everyMs);
  }

  #look(): void {
    const { log, hasOpenClose, nowMs, onDue, onProblem } = this.#options;
    let isAnyDue = false;
    for (const [node, writing] of this.#writings) {
      const isOpen = hasOpenClose(node);
      if (!node.isNamed || (!node.hasWriter && !isOpen)) this.#writings.delete(node);
      if (!this.isDue(node)) continue;
      isAnyDue = true;
      if (isOpen) continue;
      if (node.unlogged.size === 0 || !isChanged(node, writing)) {
        // All that was written is sealed: the interval begins anew.
        writing.sinceMs = nowMs();
        continue;
      }
      try {
        log(node);
      } catch (error) {
        onProblem(node, error);
      }
    }
    if (isAnyDue) onDue();
    if (this.#writings.size === 0) this[Symbol.dispose]();
  }
}

/** It has a writer now, or had others since: nobody could hash it in between. */
function hasNoPause(node: CacheNode, { generation }: Writing): boolean {
  return node.hasWriter || node.generation !== generation;
}

/** A descriptor that was written to once stays unlogged until it is flushed, written to again or not. */
function isChanged(node: CacheNode, { copied }: Writing): boolean {
  const [fd] = node.descriptors.keys();
  if (copied === undefined || fd === undefined) return true;
  const { size, mtimeNs, ctimeNs } = fstat(fd);
  const { stat } = copied;
  return size !== stat.size || mtimeNs !== stat.mtimeNs || ctimeNs !== stat.ctimeNs;
}
