/**
 * Ids and hashes between bytes and lower-case hexadecimal text.
 *
 * They are most of what a record holds, so their cost is the codec's: one `String.fromCharCode` of 32
 * arguments makes a flat string, 2 to 4 times as fast as joining a table of pairs (measured, Node 24).
 */

/** Code of each of a byte's two digits, at `2 * byte` and `2 * byte + 1`. */
const DIGITS = new Uint8Array(512);
/** Value of a digit by its character code; 255 where it is none. */
const VALUES = new Uint8Array(128).fill(255);

for (let value = 0; value < 16; value += 1) VALUES[value.toString(16).charCodeAt(0)] = value;
for (let byte = 0; byte < 256; byte += 1) {
  const text = byte.toString(16).padStart(2, "0");
  DIGITS[2 * byte] = text.charCodeAt(0);
  DIGITS[2 * byte + 1] = text.charCodeAt(1);
}

/** The 16 bytes at `at` as 32 digits. */
export function hexOf16(b: Uint8Array, at: number): string {
  const h = DIGITS;
  const b0 = b[at]! * 2;
  const b1 = b[at + 1]! * 2;
  const b2 = b[at + 2]! * 2;
  const b3 = b[at + 3]! * 2;
  const b4 = b[at + 4]! * 2;
  const b5 = b[at + 5]! * 2;
  const b6 = b[at + 6]! * 2;
  const b7 = b[at + 7]! * 2;
  const b8 = b[at + 8]! * 2;
  const b9 = b[at + 9]! * 2;
  const b10 = b[at + 10]! * 2;
  const b11 = b[at + 11]! * 2;
  const b12 = b[at + 12]! * 2;
  const b13 = b[at + 13]! * 2;
  const b14 = b[at + 14]! * 2;
  const b15 = b[at + 15]! * 2;
  // oxfmt-ignore
  return String.fromCharCode(
    h[b0]!, h[b0 + 1]!, h[b1]!, h[b1 + 1]!, h[b2]!, h[b2 + 1]!, h[b3]!, h[b3 + 1]!,
    h[b4]!, h[b4 + 1]!, h[b5]!, h[b5 + 1]!, h[b6]!, h[b6 + 1]!, h[b7]!, h[b7 + 1]!,
    h[b8]!, h[b8 + 1]!, h[b9]!, h[b9 + 1]!, h[b10]!, h[b10 + 1]!, h[b11]!, h[b11 + 1]!,
    h[b12]!, h[b12 + 1]!, h[b13]!, h[b13 + 1]!, h[b14]!, h[b14 + 1]!, h[b15]!, h[b15 + 1]!,
  );
}

/** Any bytes as digits. */
export function bytesToHex(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 1) {
    const digit = bytes[at]! * 2;
    text += String.fromCharCode(DIGITS[digit]!, DIGITS[digit + 1]!);
  }
  return text;
}

/**
 * Writes the bytes of `text` at `at`; returns false, with nothing promised about what was written,
 * unless the text is exactly `2 * length` lower-case digits.
 */
export function writeHex(target: Uint8Array, at: number, text: string, length: number): boolean {
  if (text.length !== 2 * length) return false;
  let seen = 0;
  for (let index = 0; index < length; index += 1) {
    const high = text.charCodeAt(2 * index);
    const low = text.charCodeAt(2 * index + 1);
    const highValue = high < 128 ? VALUES[high]! : 255;
    const lowValue = low < 128 ? VALUES[low]! : 255;
    seen |= highValue | lowValue;
    target[at + index] = (highValue << 4) | lowValue;
  }
  return seen < 16;
}
