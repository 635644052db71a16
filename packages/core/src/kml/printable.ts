import { textToBytes } from "./name.ts";

/** What a terminal would act on: controls (C0, DEL, C1) and marks that change the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\\]/gu;

/**
 * A name or path as people may see it: what a terminal or a browser would act on, and bytes that are no
 * UTF-8, are written as `\xNN`, and a backslash as two, so that no two names look the same.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === "\\"
      ? "\\\\"
      : Array.from(
          textToBytes(character),
          (byte) => `\\x${byte.toString(16).padStart(2, "0")}`,
        ).join(""),
  );
}
