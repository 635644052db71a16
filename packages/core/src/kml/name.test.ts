import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { bytesToText, InvalidNameError, parseName, textToBytes } from "./name.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What bytesToText means, said slowly: the longest text that the decoder takes, else an escaped byte. */
function bytesToTextByDecoder(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length;) {
    const sequence = [1, 2, 3, 4].find((length) => decode(bytes, index, length) !== undefined);
    text +=
      sequence === undefined
        ? String.fromCharCode(0xdc00 + bytes[index]!)
        : decode(bytes, index, sequence)!;
    index += sequence ?? 1;
  }
  return text;
}

function decode(bytes: Uint8Array, index: number, length: number): string | undefined {
  if (index + length > bytes.length) return undefined;
  try {
    return decoder.decode(bytes.subarray(index, index + length));
  } catch {
    return undefined;
  }
}

/** Bytes at the edges of what UTF-8 takes (RFC 3629, section 4), beside others. */
const anyByte = fc.oneof(
  fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1),
  fc.constantFrom(0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff, 0xbb, 0xbd),
  fc.integer({ min: 0, max: 255 }),
);

describe("names", () => {
  it("bytesToText() escapes what is no UTF-8, and textToBytes() gives the bytes back [D4]", () => {
    const somewhere = fc.array(anyByte, { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(somewhere, (bytes) => {
        const text = bytesToText(bytes);
        expect(text).toBe(bytesToTextByDecoder(bytes));
        expect(textToBytes(text)).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["a replacement character that is meant", "a\ufffdb"],
    ["a byte order mark", "\ufeffa"],
    [
      "the first and the last code points of each length",
      "\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}",
    ],
  ])("bytesToText() gives %s as it is", (_what, text) => {
    expect(bytesToText(new TextEncoder().encode(text))).toBe(text);
  });

  it("parseName() takes 255 bytes that are no text, and no text that means other bytes", () => {
    expect(parseName(bytesToText(new Uint8Array(255).fill(0xe6)))).toHaveLength(255);
    // The bytes of "é" as two escapes, which bytesToText would give as one character.
    expect(() => parseName("\udcc3\udca9")).toThrow(InvalidNameError);
    expect(() => parseName("\ud800")).toThrow(InvalidNameError);
  });
});
