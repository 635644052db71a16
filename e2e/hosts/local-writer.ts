import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";

import { sha256Of } from "./sha256-of.ts";

/**
 * Keeps account of what a program on the server's machine leaves in one file of the export. A content
 * that the program replaces itself may go unnoticed; one that somebody else replaces must be in the log.
 */
export class LocalWriter {
  readonly path: string;
  /** Contents that must be in the log, by hash, with what they were. */
  readonly required = new Map<string, string>();
  #last: { readonly ino: bigint; readonly text: string } | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Before the program touches the file: was what it left replaced by somebody else? */
  look(): void {
    const found = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (this.#last !== undefined && found?.ino !== this.#last.ino) this.#require(this.#last.text);
  }

  /** After the program has written through `fd`. */
  noteInode(fd: number): void {
    this.#last = {
      ino: fstatSync(fd, { bigint: true }).ino,
      text: readFileSync(this.#reopened(fd), "utf8"),
    };
  }

  /** At the end: what the program left last must be in the log. */
  finish(): void {
    if (this.#last !== undefined) this.#require(this.#last.text);
  }

  #require(text: string): void {
    this.required.set(sha256Of(text), `${this.path}: ${JSON.stringify(text.slice(-60))}`);
  }

  /** The inode behind a descriptor, whatever its name means by now, from its first byte. */
  #reopened(fd: number): string {
    return `/proc/self/fd/${fd}`;
  }
}

/** Opens, lets `write` write, notes the inode's content and closes. */
export function writeNoted(
  writer: LocalWriter,
  path: string,
  flags: string,
  write: (fd: number) => void,
): void {
  const fd = openSync(path, flags);
  try {
    write(fd);
    writer.noteInode(fd);
  } finally {
    closeSync(fd);
  }
}
