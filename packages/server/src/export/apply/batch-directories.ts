import { closeSync, constants } from "node:fs";

import { ROOT_OID, textToBytes, type Oid, type StateReader } from "@izo/core";
import { fstat, openat2 } from "@izo/sys";

import { isSameInode, noteOfStat } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import { isAbsence, openTreeDirectory } from "../tree/tree-directory.ts";
import { LocalChange } from "./local-change.ts";
import type { Place } from "./step.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * The directories that a batch changes, by descriptor: those that exist are opened before its first
 * change, by the path that they have then, and stay the same through every rename of the batch.
 */
export class BatchDirectories implements Disposable {
  readonly #fileset: Fileset;
  readonly #fds = new Map<Oid, number>();

  constructor(fileset: Fileset) {
    this.#fileset = fileset;
  }

  /**
   * Opens a directory, unless the batch itself makes it.
   *
   * @param before the tree before the batch
   * @throws LocalChange when it is not where the log says
   */
  prepare(oid: Oid, before: StateReader): void {
    if (this.#fds.has(oid) || before.object(oid) === undefined) return;
    let fd: number;
    try {
      fd = openTreeDirectory(this.#fileset.rootFd, before, oid);
    } catch (error) {
      if (isAbsence(error) || (error as { code?: unknown }).code === "ELOOP")
        throw lookEverywhere(oid);
      throw error;
    }
    this.#fds.set(oid, fd);
    const note = this.#fileset.ledger.notes.get(oid);
    if (note === undefined || !isSameInode(note, noteOfStat(fstat(fd)))) throw lookEverywhere(oid);
  }

  /** The descriptor of a directory that was prepared, or that the batch has made. */
  fd(oid: Oid): number {
    const fd = this.#fds.get(oid);
    if (fd === undefined) throw new Error(`Cannot change directory ${oid}: it was not opened`);
    return fd;
  }

  /** Opens a directory that the batch has just put into its place. */
  add(oid: Oid, at: Place): void {
    const parentFd = this.fd(at.parent);
    const options = { beneath: true, noSymlinks: true };
    this.#fds.set(oid, openat2(parentFd, textToBytes(at.name), DIRECTORY, options));
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.values()) closeSync(fd);
    this.#fds.clear();
  }
}

/** Where a directory went can be anywhere. */
function lookEverywhere(oid: Oid): LocalChange {
  return new LocalChange({ directory: ROOT_OID, names: null, isDeep: true }, oid);
}
