/**
 * Names of things that never change: objects, peers, filesets and contents (design D1, D4).
 *
 * In memory each is lower-case hexadecimal text, because they are map keys far more often than they
 * are bytes; the codec turns them into 16 or 32 bytes.
 */

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** Object id: 16 bytes as 32 hexadecimal digits, made by the creating peer, kept for life. */
export type Oid = Branded<string, "Oid">;

/** Peer id (`sysid`): a UUID without dashes, 32 hexadecimal digits, made once and kept. */
export type PeerId = Branded<string, "PeerId">;

/** Fileset id: a UUID without dashes, 32 hexadecimal digits. */
export type FilesetId = Branded<string, "FilesetId">;

/** SHA-256 of a content: 64 hexadecimal digits. */
export type Sha256 = Branded<string, "Sha256">;

/** Number of a record in its log: dense, from 1; 0 means "before the first". Never a clock. */
export type Recno = Branded<number, "Recno">;

/** Nanoseconds since 1970-01-01T00:00:00Z, negative before. */
export type TimeNs = bigint;

/** The root directory of every fileset. It exists before the first record and has no entry. */
export const ROOT_OID = "00000000000000000000000000000001" as Oid;

/** The recno before the first record. */
export const NO_RECNO = 0 as Recno;

/** The SHA-256 of no bytes: the content of a file that was only created. */
export const EMPTY_SHA256 =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" as Sha256;

const HEX_16 = /^[0-9a-f]{32}$/;
const HEX_32 = /^[0-9a-f]{64}$/;

/** Tells whether the text has the form of an {@link Oid}, a {@link PeerId} or a {@link FilesetId}. */
export function isId(text: string): text is Oid & PeerId & FilesetId {
  return HEX_16.test(text);
}

/** Tells whether the text has the form of a {@link Sha256}. */
export function isSha256(text: string): text is Sha256 {
  return HEX_32.test(text);
}

/** Tells whether the number can be a {@link Recno}: a whole number from 0 to 2^53 - 1. */
export function isRecno(value: number): value is Recno {
  return Number.isSafeInteger(value) && value >= 0;
}
