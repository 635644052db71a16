/**
 * Where `izo on` is in a log: durable before the next command is begun, so that a record whose command has
 * ended well is never handed out again. A crash while a command runs, or before its end was noted, hands
 * out that one record again; a lost file means that reading starts anew, by `--from`.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

import {
  IzoError,
  isRecno,
  parsePosition,
  formatPosition,
  type Position,
  type Recno,
} from "@izo/core";
import { flock, makeDirectories, replaceFile } from "@izo/sys";
import { z } from "zod";

const schema = z.object({ url: z.string(), after: z.string(), done: z.number() });

/** Somebody else reads on from there. */
export class CursorInUseError extends IzoError {
  constructor(path: string) {
    super("cursor-in-use", `Cannot use the cursor ${JSON.stringify(path)}: another izo on has it`, {
      path,
    });
  }
}

/** A file that no cursor can be read from: it is never written over. */
export class InvalidCursorError extends IzoError {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    const text = `Cannot read the cursor ${JSON.stringify(path)}: ${reason}`;
    super("invalid-cursor", text, { path, reason }, options);
  }
}

/** A place in a log: a position that the server is asked about, and the last record behind it that is done. */
export interface Cursor {
  readonly after: Position;
  readonly done: Recno;
}

export class CursorFile implements Disposable {
  readonly #path: string;
  readonly #url: string;
  readonly #lock: number;

  /** @throws CursorInUseError, the system's errors */
  constructor(path: string, url: string) {
    this.#path = path;
    this.#url = url;
    makeDirectories(dirname(path));
    this.#lock = openSync(`${path}.lock`, "a", 0o600);
    if (flock(this.#lock, "exclusive", { nonBlocking: true })) return;
    closeSync(this.#lock);
    throw new CursorInUseError(path);
  }

  /** Null where nothing was noted yet. @throws InvalidCursorError */
  read(): Cursor | null {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
    try {
      const { url, after, done } = schema.parse(JSON.parse(text));
      if (url !== this.#url) throw new InvalidCursorError(this.#path, `it is of ${url}`);
      if (!isRecno(done)) throw new InvalidCursorError(this.#path, `${done} is no record`);
      return { after: parsePosition(after), done };
    } catch (cause) {
      if (cause instanceof InvalidCursorError) throw cause;
      throw new InvalidCursorError(this.#path, "it holds something else", { cause });
    }
  }

  /** Durable when it returns. */
  write({ after, done }: Cursor): void {
    const noted = { url: this.#url, after: formatPosition(after), done };
    replaceFile(this.#path, `${JSON.stringify(noted)}\n`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#lock);
  }
}
