import { bytesToText, textToBytes, type Name } from "@izo/core";

/** The bytes of an id or a hash, as its column holds them. */
export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

/** The digits of an id or a hash. */
export function hexOf(bytes: Buffer): string {
  return bytes.toString("hex");
}

/**
 * Has SQLite write the digits of an id or a hash, where many rows are read: to make a Buffer of each first takes twice as
 * long as all else of a row.
 *
 * @param table with its dot, where a query has several
 */
export function hexColumn(name: string, table = ""): string {
  const column = `${table}${name}`;
  // To hex(), NULL is no bytes.
  return `iif(${column} IS NULL, NULL, lower(hex(${column}))) AS ${name}`;
}

/** The bytes of a name or a link target. */
export function bytesOfText(text: string): Buffer {
  const bytes = textToBytes(text);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function nameOf(bytes: Buffer): Name {
  return bytesToText(bytes) as Name;
}
