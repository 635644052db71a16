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
// Not a fatal one: to make and catch an error takes longer than all the rest.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** What a decoder puts in the place of what is no UTF-8; it can also stand there. */
const REPLACEMENT = "\ufffd";
const ESCAPED = /[\udc80-\udcff]/;

/** The bytes of a text in which lone surrogates U+DC80 to U+DCFF stand for single bytes. */
export function textToBytes(text: string): Uint8Array {
  if (!ESCAPED.test(text) || text.isWellFormed()) return encoder.encode(text);
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (code < 0x80) bytes[length++] = code;
    else if (isEscape(character, code)) bytes[length++] = code - ESCAPE_BASE;
    else length += encoder.encodeInto(character, bytes.subarray(length)).written;
  }
  return bytes.slice(0, length);
}

/** The inverse of {@link textToBytes}: `textToBytes(bytesToText(b))` equals `b` for all bytes. */
export function bytesToText(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.includes(REPLACEMENT) ? decodeWithEscapes(bytes) : text;
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

/** A byte that is not part of UTF-8 is this plus the byte. */
const ESCAPE_BASE = 0xdc00;

function isEscape(character: string, code: number): boolean {
  return character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
}

function decodeWithEscapes(bytes: Uint8Array): string {
  let text = "";
  let index = 0;
  while (index < bytes.length) {
    const length = sequenceLength(bytes[index]!);
    const code = length === 0 ? undefined : codePointAt(bytes, index, length);
    text +=
      code === undefined
        ? String.fromCharCode(ESCAPE_BASE + bytes[index]!)
        : String.fromCodePoint(code);
    index += code === undefined ? 1 : length;
  }
  return text;
}

/** The least code points that take so many bytes of UTF-8: what takes more than it needs is none. */
const LEAST = [0, 0, 0x80, 0x800, 0x1_0000];

/** How long a sequence of UTF-8 is that begins with this byte, or 0 where none does (RFC 3629, section 4). */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** The code point of `length` bytes from `index` on; undefined where they are no UTF-8. */
function codePointAt(bytes: Uint8Array, index: number, length: number): number | undefined {
  if (index + length > bytes.length) return undefined;
  let code = length === 1 ? bytes[index]! : bytes[index]! & (0x7f >> length);
  for (let next = index + 1; next < index + length; next += 1) {
    if ((bytes[next]! & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (bytes[next]! & 0x3f);
  }
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code < LEAST[length]! || code > 0x10_ffff || isSurrogate ? undefined : code;
}
