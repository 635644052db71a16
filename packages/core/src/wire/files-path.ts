import { bytesToText, parseName, textToBytes } from "../kml/name.ts";
import { ProblemError } from "./problem.ts";

const PLAIN = /^[A-Za-z0-9._~-]$/;

/**
 * The path of a file as a part of a URL: every byte of a name that is not plain is `%XX`, so that names
 * which are no UTF-8 have a URL too.
 *
 * @example writeFilesPath("/a b/ü") // "/a%20b/%C3%BC"
 */
export function writeFilesPath(path: string): string {
  return path
    .split("/")
    .map((name) => Array.from(textToBytes(name), writeByte).join(""))
    .join("/");
}

/**
 * The path `/a/b` that the rest of a URL names, given as it came, with its `%XX`. Each name is decoded
 * on its own, so that an encoded slash is a part of a name, and is refused with it.
 *
 * @throws InvalidNameError; ProblemError `invalid-name` when the encoding is malformed
 */
export function parseFilesPath(encoded: string): string {
  const names = encoded.split("/").filter((name) => name !== "");
  return `/${names.map((name) => parseName(bytesToText(decodePercent(name)))).join("/")}`;
}

function writeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  if (PLAIN.test(character)) return character;
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

function decodePercent(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== "%") {
      // A character beyond ASCII that a client did not encode stands for its UTF-8.
      const character = String.fromCodePoint(text.codePointAt(at)!);
      bytes.push(...textToBytes(character));
      at += character.length - 1;
      continue;
    }
    const digits = text.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) {
      throw new ProblemError("invalid-name", `Cannot read the path: "%${digits}" is no byte`);
    }
    bytes.push(Number.parseInt(digits, 16));
    at += 2;
  }
  return Uint8Array.from(bytes);
}
