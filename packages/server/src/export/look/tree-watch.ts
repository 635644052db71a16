/**
 * Names what to look at again while the server runs (design S2): one inotify watch for each directory,
 * through `fs.watch`. It decides nothing and may say too much; what it misses, because the kernel's queue
 * was full or watches ran out, a scan finds.
 */

import { watch, type FSWatcher } from "node:fs";

import { bytesToText, type Name, type Oid } from "@izo/core";
import { fstat } from "@izo/sys";

import { isSameInode, noteOfStat, type DiskNote } from "../../db/disk-notes.ts";
import type { WatchMode } from "../export.ts";
import type { LookRequest } from "../tree/list-directory.ts";

/** Half of the kernel's default queue (fs.inotify.max_queued_events): beyond it some may be lost unseen. */
const OVERFLOW_EVENTS = 8_192;

interface Watch {
  readonly watcher: FSWatcher;
  /** What it watches: a directory that is made anew under its old name is another inode. */
  readonly inode: DiskNote;
}

export class TreeWatch implements Disposable {
  readonly #watches = new Map<Oid, Watch>();
  readonly #names = new Map<Oid, Set<Name>>();
  readonly #onNews: () => void;
  #events = 0;
  #mode: WatchMode = "inotify";

  /** @param onNews is called whenever there is something to {@link take} */
  constructor(onNews: () => void) {
    this.#onNews = onNews;
  }

  /** `scanning` once a watch could not be set. */
  get mode(): WatchMode {
    return this.#mode;
  }

  /** Watches a directory by its descriptor: what it means cannot be changed by a rename above it. */
  add(oid: Oid, fd: number): void {
    if (this.#mode !== "inotify") return;
    const inode = noteOfStat(fstat(fd));
    const standing = this.#watches.get(oid);
    if (standing !== undefined && isSameInode(standing.inode, inode)) return;
    this.drop(oid);
    try {
      const options = { encoding: "buffer", persistent: false } as const;
      const watcher = watch(`/proc/self/fd/${fd}`, options, (_event, name) => {
        this.#note(oid, name);
      });
      watcher.on("error", () => this.drop(oid));
      this.#watches.set(oid, { watcher, inode });
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== "ENOSPC" && code !== "EMFILE" && code !== "ENFILE") throw error;
      this.#mode = "scanning";
      this.#closeAll();
      this.#onNews();
    }
  }

  /** How many directories are watched. */
  get count(): number {
    return this.#watches.size;
  }

  /** Ends a watch, where there is one. */
  drop(oid: Oid): void {
    this.#watches.get(oid)?.watcher.close();
    this.#watches.delete(oid);
  }

  /** What was named since the last call; null when so much was that all has to be scanned. */
  take(): LookRequest[] | null {
    const isOverflown = this.#events > OVERFLOW_EVENTS;
    const requests = [...this.#names].map(([directory, names]): LookRequest => ({
      directory,
      names,
      isDeep: false,
    }));
    this.#events = 0;
    this.#names.clear();
    return isOverflown ? null : requests;
  }

  [Symbol.dispose](): void {
    this.#mode = "off";
    this.#closeAll();
  }

  #note(oid: Oid, name: Buffer | null): void {
    if (name === null) return;
    this.#events += 1;
    let names = this.#names.get(oid);
    if (names === undefined) this.#names.set(oid, (names = new Set()));
    names.add(bytesToText(name) as Name);
    this.#onNews();
  }

  #closeAll(): void {
    for (const { watcher } of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }
}
