/**
 * The names of a removal that waits for a person (design S4): a scan missed them, and nobody has said
 * that they were meant to go. Until then no other look logs their absence. What a client changes among
 * them is given up name by name: a file that it edits or removes counts as gone, which the judge then
 * sets against what the client did; a directory that it needs is made again, empty, and what was in it
 * stays held.
 *
 * Nothing of this is kept on disk: the scan at the next start finds the same absences.
 */

import { randomUUID } from "node:crypto";
import { constants, fsyncSync } from "node:fs";

import { ROOT_OID, textToBytes, type Entry, type Name, type Oid } from "@izo/core";
import { fstat, openat2, renameat2 } from "@izo/sys";

import { noteOfStat } from "../../db/disk-notes.ts";
import { prepareItem } from "../apply/prepare-item.ts";
import type { Fileset } from "../fileset.ts";
import { noteOfLink } from "../tree/link-note.ts";
import { heldFd, openTreeDirectory } from "../tree/tree-directory.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export class HeldEntries {
  readonly #fileset: Fileset;
  /** The topmost names that are held, by place; all below them are held too. */
  readonly #tops = new Map<string, Oid>();

  /** @param entries that a scan missed, without those below them */
  constructor(fileset: Fileset, entries: readonly Entry[]) {
    this.#fileset = fileset;
    for (const entry of entries) this.#tops.set(keyOf(entry), entry.oid);
  }

  /** Tells whether the absence of a name waits for a person. */
  holds(entry: Entry): boolean {
    if (this.#tops.size === 0) return false;
    for (let at: Entry | undefined = entry; at !== undefined; at = this.#above(at)) {
      if (this.#tops.get(keyOf(at)) === at.oid) return true;
    }
    return false;
  }

  /**
   * Lets a client's change have what it has met the absence of.
   *
   * @param oid the object; null where only its place is known
   * @param names in the directory `parent`
   * @param onDirectory is given each directory that is there again
   */
  async giveUp(
    oid: Oid | null,
    parent: Oid,
    names: Iterable<Name>,
    onDirectory: (oid: Oid, fd: number) => void,
  ): Promise<void> {
    if (this.#tops.size === 0) return;
    const { state } = this.#fileset.ledger;
    await this.#restore(parent, onDirectory);
    if (oid !== null && state.object(oid)?.kind === "directory") {
      await this.#restore(oid, onDirectory);
    }
    for (const name of names) {
      const entry = state.entry(parent, name);
      if (entry === undefined || !this.holds(entry)) continue;
      if (state.object(entry.oid)?.kind === "directory") {
        await this.#restore(entry.oid, onDirectory);
      } else {
        this.#tops.delete(keyOf(entry));
      }
    }
  }

  /** Makes a held directory again, and those above it. Nothing is logged: the log has them. */
  async #restore(oid: Oid, onDirectory: (oid: Oid, fd: number) => void): Promise<void> {
    const entry = this.#entryOf(oid);
    if (entry === undefined || !this.holds(entry)) return;
    await this.#restore(entry.parent, onDirectory);
    if (noteOfLink(this.#fileset, entry) === undefined) await this.#make(entry, onDirectory);
    this.#tops.delete(keyOf(entry));
    for (const child of this.#fileset.ledger.state.children(oid)) {
      if (noteOfLink(this.#fileset, child) === undefined) this.#tops.set(keyOf(child), child.oid);
    }
  }

  /**
   * A crash before the note is durable leaves a directory of another inode under a name of the log, which
   * the scan takes for the same directory.
   */
  async #make(entry: Entry, onDirectory: (oid: Oid, fd: number) => void): Promise<void> {
    const { rootFd, applyFd, ledger } = this.#fileset;
    const item = `again-${randomUUID()}`;
    await prepareItem(this.#fileset, item, ledger.state.object(entry.oid)!);
    using parent = heldFd(openTreeDirectory(rootFd, ledger.state, entry.parent));
    renameat2(applyFd, item, parent.fd, textToBytes(entry.name), { noReplace: true });
    fsyncSync(parent.fd);
    const options = { beneath: true, noSymlinks: true };
    using made = heldFd(openat2(parent.fd, textToBytes(entry.name), DIRECTORY, options));
    ledger.begin();
    try {
      ledger.notes.put(entry.oid, noteOfStat(fstat(made.fd)));
      await ledger.commit();
    } catch (error) {
      ledger.rollback();
      throw error;
    }
    onDirectory(entry.oid, made.fd);
  }

  #above(entry: Entry): Entry | undefined {
    return this.#entryOf(entry.parent);
  }

  /** The only name of a directory; the root has none. */
  #entryOf(oid: Oid): Entry | undefined {
    return oid === ROOT_OID ? undefined : this.#fileset.ledger.state.links(oid)[0];
  }
}

function keyOf({ parent, name }: Entry): string {
  return `${parent}/${name}`;
}
