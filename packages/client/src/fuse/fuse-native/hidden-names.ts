/**
 * Makes open files that lose their name vanish from it at once, as they do on a local disk.
 *
 * libfuse's high-level interface renames such a file to `.fuse_hidden<node><counter>` and unlinks that
 * when the last handle is released; the binding cannot switch it off (`hard_remove`). So those renames
 * are taken for what they stand for: the hidden name never exists in the file system, `readdir` does
 * not show it, `rmdir` succeeds, and the path that libfuse uses from then on leads here.
 *
 * A crash in between loses nothing: the file system saw a plain unlink, or a plain rename.
 */
import { readFileSync } from "node:fs";

import type { Caller } from "../file-system.ts";
import type { Handle } from "./handle-table.ts";
import { splitPath } from "./node-paths.ts";

/** "%08x%08x" of libfuse's hide_node(): a node's number, then a counter of the mount. */
const hiddenBase = /^\.fuse_hidden[0-9a-f]{8}([0-9a-f]{8})$/;

/** libfuse tries so many names before it gives up. */
const attempts = 10;

/**
 * System call numbers of rename, renameat and renameat2 on x64, i386, arm64 and arm. No other call
 * that takes a name away has one of these numbers on any of them.
 */
const renameCalls = new Set([82, 264, 316, 38, 302, 353, 276, 329, 382]);

export class HiddenNames {
  readonly #handles = new Map<string, Handle>();
  #counter = 0;

  /**
   * Whether a rename is libfuse hiding an open file, and not a program that fancies such a name:
   * same directory, the file is open, and the counter is the next one of this mount.
   */
  isHiding(from: string, to: string, flags: number, openAtFrom: ReadonlySet<Handle>): boolean {
    if (flags !== 0 || openAtFrom.size === 0) return false;
    const target = splitPath(to);
    if (target.directory !== splitPath(from).directory) return false;
    const counter = Number.parseInt(hiddenBase.exec(target.base)?.[1] ?? "0", 16);
    if (counter <= this.#counter || counter > this.#counter + attempts) return false;
    this.#counter = counter;
    return true;
  }

  hide(path: string, handle: Handle): void {
    this.#handles.set(path, handle);
  }

  /** An open handle of the file that libfuse knows as `path`, if that is a hidden name. */
  get(path: string): Handle | undefined {
    return this.#handles.size === 0 ? undefined : this.#handles.get(path);
  }

  /** libfuse unlinks a hidden name. Whether it was one. */
  reveal(path: string): boolean {
    return this.#handles.delete(path);
  }

  /** A handle was released: another of the same file takes its place, if there is one. */
  replace(path: string, released: Handle, others: ReadonlySet<Handle>): void {
    if (this.#handles.get(path) !== released) return;
    const [other] = others;
    if (other === undefined) this.#handles.delete(path);
    else this.#handles.set(path, other);
  }
}

/**
 * Whether the caller is inside rename(2): then the hidden file is about to be replaced, and the rename
 * that follows within the same request does it in one step; an unlink now would tear an atomic save in
 * two. Read from /proc while the caller waits for our answer. Unknown (other pid namespace, io_uring)
 * counts as unlink: correct, only not atomic.
 */
export function isRenaming(caller: Caller): boolean {
  try {
    const call = readFileSync(`/proc/${caller.pid}/syscall`, "latin1");
    return renameCalls.has(Number.parseInt(call, 10));
  } catch {
    return false;
  }
}
