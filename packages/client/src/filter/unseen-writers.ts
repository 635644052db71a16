/**
 * Writers that no descriptor of the mount stands for: a shared mapping of a passthrough file goes on
 * writing after its descriptor was closed, until the program unmaps it or ends (the original missed
 * those altogether). A read lease that the kernel refuses shows them.
 *
 * While one is there, the inode counts as open for writing: it is not sealed, not evicted, not replaced
 * in place. A crash loses nothing by that: the mark on the inode says that it may have been written to.
 */
import { hasWriter } from "@izo/sys";

/**
 * The kernel lets go of its own descriptor a moment after it has told of the release, so the first
 * look comes soon, and not at once; a mapping can live for days, so the later ones come seldom.
 */
const FIRST_DELAY_MS = 1;
const LONGEST_DELAY_MS = 1_000;

/**
 * Who is still there after so long is a mapping, and not the kernel on its way. What a shorter one
 * writes is in the record of the close before it: nothing is sealed while somebody is watched.
 */
const MAPPED_AFTER_MS = 500;

/** A file that was written to, and closed. */
export interface ClosedFile {
  /**
   * A descriptor of it that can only be read, and no other is left here: a lease is given to nobody else. Asked for
   * once, unless it fails; it has to stay open until `onGone`.
   */
  readonly openReader: () => number;
  /** Nobody can write any more. `isMapped`: somebody could, for longer than a release takes. */
  readonly onGone: (isMapped: boolean) => void;
}

interface Watch extends ClosedFile {
  readonly sinceMs: number;
  reader: number | undefined;
  delayMs: number;
  dueMs: number;
}

export class UnseenWriters implements Disposable {
  readonly #watches = new Set<Watch>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;

  /** Nobody is being watched. */
  get isEmpty(): boolean {
    return this.#watches.size === 0;
  }

  /** Calls `onGone` once nobody can write to the file, never before this returns. */
  watch(file: ClosedFile): void {
    const sinceMs = performance.now();
    const dueMs = sinceMs + FIRST_DELAY_MS;
    const watch = { ...file, sinceMs, reader: undefined, delayMs: FIRST_DELAY_MS, dueMs };
    this.#watches.add(watch);
    this.#wakeAt(dueMs);
  }

  /** The mount ends. What is written from here on by who is left is found by the next recovery. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watch of this.#watches) if (!isWritable(watch)) this.#end(watch);
  }

  #wakeAt(dueMs: number): void {
    if (dueMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    const delayMs = Math.max(1, dueMs - performance.now());
    this.#timer = setTimeout(() => this.#look(), delayMs).unref();
  }

  /** At all whose time it is, one after the other: while a tree is unpacked there are some. */
  #look(): void {
    const nowMs = performance.now();
    this.#timerMs = Infinity;
    let nextMs = Infinity;
    for (const watch of this.#watches) {
      if (watch.dueMs <= nowMs && !isWritable(watch)) {
        this.#end(watch);
        continue;
      }
      if (watch.dueMs <= nowMs) {
        watch.delayMs = Math.min(watch.delayMs * 2, LONGEST_DELAY_MS);
        watch.dueMs = nowMs + watch.delayMs;
      }
      nextMs = Math.min(nextMs, watch.dueMs);
    }
    if (nextMs < Infinity) this.#wakeAt(nextMs);
  }

  #end(watch: Watch): void {
    this.#watches.delete(watch);
    watch.onGone(performance.now() - watch.sinceMs > MAPPED_AFTER_MS);
  }
}

/** Also where that cannot be known now, as when there are too many descriptors. */
function isWritable(watch: Watch): boolean {
  try {
    watch.reader ??= watch.openReader();
    return hasWriter(watch.reader);
  } catch {
    return true;
  }
}
