import { IzoError } from "../errors.ts";
import { isRecno, isSha256, type Recno, type Sha256 } from "./identity.ts";

/**
 * A place in a log: a record's number and the running hash of the log up to and with that record.
 *
 * Two logs that agree on a position agree on every record before it. Written `41/9f3c0a…`, with all
 * 64 digits of the hash; recno 0 stands before the first record and its hash is that of the fileset.
 */
export interface Position {
  readonly recno: Recno;
  readonly hash: Sha256;
}

/** A text that is no position. */
export class InvalidPositionError extends IzoError {
  constructor(text: string) {
    super(
      "invalid-position",
      `Cannot read the position ${JSON.stringify(text)}: expected "recno/hash" as in "41/9f3c…" with 64 digits`,
      { text },
    );
  }
}

/** The text form of a position, as in URLs, headers, logs and `izo status`. */
export function formatPosition(position: Position): string {
  return `${position.recno}/${position.hash}`;
}

/** Reads the text form. @throws InvalidPositionError */
export function parsePosition(text: string): Position {
  const slash = text.indexOf("/");
  const digits = text.slice(0, slash);
  const recno = Number(digits);
  const hash = text.slice(slash + 1);
  if (slash < 1 || !/^[0-9]+$/.test(digits) || !isRecno(recno) || !isSha256(hash)) {
    throw new InvalidPositionError(text);
  }
  return { recno, hash };
}

/** Tells whether two positions are the same place of the same log. */
export function isSamePosition(a: Position, b: Position): boolean {
  return a.recno === b.recno && a.hash === b.hash;
}
