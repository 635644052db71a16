import { IzoError } from "../errors.ts";

declare const brand: unique symbol;

/**
 * One component of a path. Names are bytes (design D4): a byte that is not part of valid UTF-8 is
 * carried as the lone surrogate U+DC80 to U+DCFF (PEP 383), so that every name survives the way
 * through JavaScript strings and ordinary names stay readable.
 */
export type Name = string & { readonly [brand]: "Name" };

/** Longest name in bytes, as in `NAME_MAX` of `linux/limits.h`. */
export const NAME_MAX_BYTES = 255;

/** A name that cannot stand in a directory. */
export class InvalidNameError extends IzoError {
  constructor(name: string, reason: string) {
    super("invalid-name", `Cannot use the name ${JSON.stringify(name)}: ${reason}`, {
      name,
      reason,
    });
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ESCAPED = /[\udc80-\udcff]/;

/** The bytes of a text in which lone surrogates U+DC80 to U+DCFF stand for single bytes. */
export function textToBytes(text: string): Uint8Array {
  if (!ESCAPED.test(text) || text.isWellFormed()) return encoder.encode(text);
  const parts: number[] = [];
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}

/** The inverse of {@link textToBytes}: `textToBytes(bytesToText(b))` equals `b` for all bytes. */
export function bytesToText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

/**
 * Checks a text and returns it as a name.
 *
 * @throws InvalidNameError when it is empty, `.` or `..`, holds `/` or NUL, is over 255 bytes, or is no
 * text that {@link bytesToText} gives.
 */
export function parseName(text: string): Name {
  if (text === "") throw new InvalidNameError(text, "it is empty");
  if (text === "." || text === "..")
    throw new InvalidNameError(text, "it has a meaning of its own");
  if (text.includes("/")) throw new InvalidNameError(text, 'it holds a "/"');
  if (text.includes("\0")) throw new InvalidNameError(text, "it holds a NUL byte");
  // Two texts must never mean the same bytes: an escaped byte may stand only where bytesToText puts it.
  if (!text.isWellFormed() && bytesToText(textToBytes(text)) !== text) {
    throw new InvalidNameError(text, "it holds a lone surrogate that stands for no byte");
  }
  // A UTF-16 unit is at most 3 bytes of UTF-8, so short names need no encoding to be known as short.
  if (text.length * 3 > NAME_MAX_BYTES) {
    const length = textToBytes(text).length;
    if (length > NAME_MAX_BYTES) {
      throw new InvalidNameError(text, `it has ${length} bytes, more than ${NAME_MAX_BYTES}`);
    }
  }
  return text as Name;
}

function decodeWithEscapes(bytes: Uint8Array): string {
  let text = "";
  let index = 0;
  while (index < bytes.length) {
    const length = sequenceLength(bytes, index);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + bytes[index]!);
      index += 1;
    } else {
      text += decoder.decode(bytes.subarray(index, index + length));
      index += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `index`, or 0 where there is none (RFC 3629, section 4). */
function sequenceLength(bytes: Uint8Array, index: number): number {
  const lead = bytes[index]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length === 0 || index + length > bytes.length) return 0;
  try {
    decoder.decode(bytes.subarray(index, index + length));
    return length;
  } catch {
    return 0;
  }
}
