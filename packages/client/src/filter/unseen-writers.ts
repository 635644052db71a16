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
 * look comes soon; a mapping can live for days, so the later ones come seldom.
 */
const FIRST_DELAY_MS = 1;
const LONGEST_DELAY_MS = 1_000;

/**
 * Who is still there after so long is a mapping, and not the kernel on its way. What a shorter one
 * writes is in the record of the close before it: nothing is sealed while somebody is watched.
 */
const MAPPED_AFTER_MS = 500;

/** Nobody can write any more. `isMapped`: somebody could, for longer than a release takes. */
export type OnWriterGone = (isMapped: boolean) => void;

interface Watch {
  readonly fd: number;
  readonly onGone: OnWriterGone;
  readonly timer: NodeJS.Timeout;
  readonly waitedMs: number;
}

export class UnseenWriters implements Disposable {
  readonly #watches = new Map<number, Watch>();

  /** Nobody is being watched. */
  get isEmpty(): boolean {
    return this.#watches.size === 0;
  }

  /**
   * Calls `onGone` once nobody can write to the file of a descriptor that is open for reading: at once
   * where that is so already. The descriptor has to stay open until then.
   */
  watch(fd: number, onGone: OnWriterGone): void {
    if (hasWriter(fd)) this.#wait(fd, onGone, FIRST_DELAY_MS, 0);
    else onGone(false);
  }

  /** The mount ends. What is written from here on by who is left is found by the next recovery. */
  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) {
      clearTimeout(watch.timer);
      if (!hasWriter(watch.fd)) this.#end(watch, watch.waitedMs);
    }
  }

  #wait(fd: number, onGone: OnWriterGone, delayMs: number, waitedMs: number): void {
    const timer = setTimeout(() => {
      const nowWaitedMs = waitedMs + delayMs;
      if (hasWriter(fd)) this.#wait(fd, onGone, nextDelay(delayMs), nowWaitedMs);
      else this.#end({ fd, onGone, timer, waitedMs }, nowWaitedMs);
    }, delayMs);
    this.#watches.set(fd, { fd, onGone, timer: timer.unref(), waitedMs });
  }

  #end({ fd, onGone }: Watch, waitedMs: number): void {
    this.#watches.delete(fd);
    onGone(waitedMs > MAPPED_AFTER_MS);
  }
}

function nextDelay(delayMs: number): number {
  return Math.min(delayMs * 2, LONGEST_DELAY_MS);
}
