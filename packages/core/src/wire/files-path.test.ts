import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { arbitraryPath } from "../testing/arbitrary-record.ts";
import { parseFilesPath, writeFilesPath } from "./files-path.ts";

describe("parseFilesPath()", () => {
  test("gives back every path that writeFilesPath() wrote, of any bytes", () => {
    fc.assert(
      fc.property(arbitraryPath, (path) => {
        const url = new URL(`http://host${writeFilesPath(path)}`);
        expect(parseFilesPath(url.pathname)).toBe(path);
      }),
    );
  });

  test.each([
    { description: "nothing is the root", encoded: "", path: "/" },
    { description: "slashes at the end do not count", encoded: "/a//", path: "/a" },
    { description: "a byte that is no UTF-8 stays", encoded: "/%FF", path: "/\udcff" },
    { description: "a letter that was not encoded is its UTF-8", encoded: "/ü😀", path: "/ü😀" },
  ])("$description", ({ encoded, path }) => {
    expect(parseFilesPath(encoded)).toBe(path);
  });

  test.each([
    { description: "a parent", encoded: "/a/../b" },
    { description: "an encoded parent", encoded: "/%2e%2E/etc" },
    { description: "an encoded slash", encoded: "/..%2fetc" },
    { description: "a NUL byte", encoded: "/a%00" },
    { description: "a name of 256 bytes", encoded: `/${"%41".repeat(256)}` },
    { description: "a broken escape", encoded: "/%4" },
    { description: "an escape of no byte", encoded: "/%zz" },
  ])("refuses $description", ({ encoded }) => {
    expect(() => parseFilesPath(encoded)).toThrow(
      expect.objectContaining({ code: "invalid-name" }),
    );
  });
});
