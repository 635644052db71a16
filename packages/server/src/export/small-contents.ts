import { closeSync, read } from "node:fs";

import { textToBytes, type Oid, type Sha256 } from "@izo/core";

import { notedPlaces } from "../db/contents.ts";
import { openNoted, type ContentSource } from "./content-source.ts";
import type { SmallContentReader } from "./export.ts";
import type { Fileset } from "./fileset.ts";
import { isAbsence, openTreeDirectory } from "./tree-directory.ts";

/** Descriptors of directories that are kept; their files are mostly asked for one after the other. */
const MOST_DIRECTORIES = 64;

/**
 * Reads many small contents of the tree, for one client: one query and five calls for each. As everywhere, only an
 * inode counts whose stat is the noted one before and after (design S5); a directory that was moved since it was opened
 * here changes nothing of that.
 */
export class SmallContents implements SmallContentReader {
  readonly #fileset: Fileset;
  readonly #directories = new Map<Oid, number>();

  constructor(fileset: Fileset) {
    this.#fileset = fileset;
  }

  async read(sha256: Sha256): Promise<Uint8Array | null> {
    using source = this.#open(sha256);
    if (source === null) return null;
    const bytes = new Uint8Array(source.sizeBytes);
    const length = await readAtOnce(source.fd, bytes);
    return length === bytes.length && source.isIntact() ? bytes : null;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#directories.values()) closeSync(fd);
    this.#directories.clear();
  }

  #open(sha256: Sha256): ContentSource | null {
    const { connection } = this.#fileset.committed;
    for (const { parent, name, note } of notedPlaces(connection, sha256)) {
      try {
        const source = openNoted(this.#directory(parent), textToBytes(name), note);
        if (typeof source !== "string") return source;
      } catch (error) {
        if (!isAbsence(error) && (error as { code?: unknown }).code !== "ELOOP") throw error;
      }
    }
    return null;
  }

  #directory(oid: Oid): number {
    const known = this.#directories.get(oid);
    if (known !== undefined) return known;
    if (this.#directories.size >= MOST_DIRECTORIES) this[Symbol.dispose]();
    const { rootFd, committed } = this.#fileset;
    const fd = openTreeDirectory(rootFd, committed.state, oid);
    this.#directories.set(oid, fd);
    return fd;
  }
}

/** By a thread: a cold disk must not hold up all others. */
function readAtOnce(fd: number, bytes: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  read(fd, bytes, 0, bytes.length, 0, (error, length) =>
    error === null ? resolve(length) : reject(error),
  );
  return promise;
}
