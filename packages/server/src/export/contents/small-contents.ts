import { closeSync, read } from "node:fs";

import { type InlineContent, textToBytes, type Oid, type Sha256 } from "@izo/core";
import { notePassed, readUnchanged } from "@izo/sys";

import { type NotedContent, notedContentsBetween, notedPlaces } from "../../db/contents.ts";
import type { ContentRange, SmallContentReader } from "../export.ts";
import type { Fileset } from "../fileset.ts";
import { isAbsence, openTreeDirectory } from "../tree/tree-directory.ts";
import { openNoted, type ContentSource } from "./content-source.ts";

/** Descriptors of directories that are kept; their files are mostly asked for one after the other. */
const MOST_DIRECTORIES = 64;

/** Looked up by one query: about a millisecond, during which nobody else is answered. */
const LOOKED_UP_AT_ONCE = 64;

/**
 * Reads many small contents of the tree, for one client. As everywhere, only an inode counts whose stat is the noted one
 * before and after (design S5); a directory that was moved since it was opened here changes nothing of that.
 */
export class SmallContents implements SmallContentReader {
  readonly #fileset: Fileset;
  readonly #directories = new Map<Oid, number>();

  constructor(fileset: Fileset) {
    this.#fileset = fileset;
  }

  async *between(range: ContentRange): AsyncGenerator<InlineContent[], void> {
    let { after } = range;
    const readNext = (): Promise<InlineContent[]> => {
      const { connection } = this.#fileset.committed;
      const limit = LOOKED_UP_AT_ONCE;
      const noted = notedContentsBetween(connection, { ...range, after, limit });
      // Of an object with several names the first is enough: what it does not give is looked for elsewhere.
      after = noted.length < limit ? range.until : noted.at(-1)!.contentVersion;
      const contents = this.#readAll(noted);
      contents.catch(() => {});
      return contents;
    };
    let next = readNext();
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- one group after the other
        const contents = await next;
        const isLast = after >= range.until;
        // While some are sent, the next are read.
        if (!isLast) next = readNext();
        yield contents;
        if (isLast) return;
      }
    } finally {
      // Its thread has directories open that are closed next.
      await next.catch(() => {});
    }
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

  /** Those that are as noted. One directory after the other: of many at once some would be closed too early. */
  async #readAll(noted: readonly NotedContent[]): Promise<InlineContent[]> {
    const found: InlineContent[] = [];
    for (let start = 0; start < noted.length;) {
      const { parent } = noted[start]!;
      const end = noted.findIndex((each, index) => index > start && each.parent !== parent);
      const some = noted.slice(start, end < 0 ? noted.length : end);
      start += some.length;
      const fd = this.#directoryIfThere(parent);
      if (fd === undefined) continue;
      const files = some.map(({ name, note }) => ({ ...note, name: textToBytes(name) }));
      // oxlint-disable-next-line no-await-in-loop -- see above
      const contents = await readUnchanged(fd, files);
      for (const [index, bytes] of contents.entries()) {
        if (bytes === null) continue;
        found.push({ sha256: some[index]!.sha256, bytes });
        notePassed(bytes.length);
      }
    }
    return found;
  }

  #open(sha256: Sha256): ContentSource | null {
    const { connection } = this.#fileset.committed;
    for (const { parent, name, note } of notedPlaces(connection, sha256)) {
      try {
        const source = openNoted(this.#directory(parent), textToBytes(name), note);
        if (typeof source !== "string") return source;
      } catch (error) {
        throwUnlessMoved(error);
      }
    }
    return null;
  }

  #directoryIfThere(oid: Oid): number | undefined {
    try {
      return this.#directory(oid);
    } catch (error) {
      throwUnlessMoved(error);
      return undefined;
    }
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

/** The disk is not as the log says, which others find out. */
function throwUnlessMoved(error: unknown): void {
  if (!isAbsence(error) && (error as { code?: unknown }).code !== "ELOOP") throw error;
}

/** By a thread: a cold disk must not hold up all others. */
function readAtOnce(fd: number, bytes: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  read(fd, bytes, 0, bytes.length, 0, (error, length) =>
    error === null ? resolve(length) : reject(error),
  );
  return promise;
}
