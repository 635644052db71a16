import { bytesToText, parseName } from "@izo/core";
import { describe, expect, test } from "vitest";

import { nameFromKernel, toKernel, toListing } from "./kernel-names.ts";

const invalid = parseName(bytesToText(Buffer.of(0x61, 0xff)));

describe("names across the binding", () => {
  test("nameFromKernel() refuses what the binding mangled, and what is too long", () => {
    expect(() => nameFromKernel("a\u{fffd}")).toThrow(expect.objectContaining({ code: "EILSEQ" }));
    expect(() => nameFromKernel("é".repeat(128))).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG" }),
    );
    expect(nameFromKernel("é".repeat(127))).toBe("é".repeat(127));
  });

  test("toKernel() refuses bytes that the binding would mangle", () => {
    expect(() => toKernel(invalid)).toThrow(expect.objectContaining({ code: "EILSEQ" }));
  });

  test("toListing() shows every name within 255 bytes", () => {
    expect(toListing(invalid)).toBe("a\u{fffd}");
    const long = parseName(bytesToText(Buffer.alloc(255, 0xff)));
    expect(Buffer.byteLength(toListing(long))).toBeLessThanOrEqual(255);
  });
});
