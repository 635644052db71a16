import { describe, expect, test } from "vitest";

import { parseContentRange, parseRange, writeContentRange, writeRange } from "./byte-range.ts";

describe("parseRange()", () => {
  test.each([
    { description: "no header", header: undefined, range: null },
    { description: "another unit", header: "lines=1-2", range: null },
    { description: "several ranges", header: "bytes=0-1,4-5", range: null },
    { description: "a range that ends before it starts", header: "bytes=5-4", range: null },
    { description: "nothing at all", header: "bytes=-", range: null },
    { description: "a closed range", header: "bytes=2-4", range: { start: 2, end: 5 } },
    { description: "an open range", header: "bytes=2-", range: { start: 2, end: 10 } },
    { description: "a range beyond the end", header: "bytes=2-99", range: { start: 2, end: 10 } },
    { description: "the last bytes", header: "bytes=-3", range: { start: 7, end: 10 } },
    {
      description: "more last bytes than there are",
      header: "bytes=-99",
      range: { start: 0, end: 10 },
    },
  ])("reads $description", ({ header, range }) => {
    expect(parseRange(header, 10)).toEqual(range);
  });

  test.each(["bytes=10-", "bytes=10-12", "bytes=-0"])("refuses %s of 10 bytes", (header) => {
    expect(() => parseRange(header, 10)).toThrow(
      expect.objectContaining({ code: "range-not-satisfiable" }),
    );
  });

  test("reads what writeRange() wrote", () => {
    expect(parseRange(writeRange(4), 10)).toEqual({ start: 4, end: 10 });
    expect(parseRange(writeRange(4, 7), 10)).toEqual({ start: 4, end: 7 });
  });
});

describe("parseContentRange()", () => {
  test("reads what writeContentRange() wrote", () => {
    const range = { start: 4, end: 10 };
    expect(parseContentRange(writeContentRange(range, 12))).toEqual({ ...range, sizeBytes: 12 });
  });

  test.each([null, "bytes */10", "bytes 4-3/10", "bytes 4-10/10", "bytes 0-1/*"])(
    "refuses %s",
    (header) => {
      expect(parseContentRange(header)).toBeNull();
    },
  );
});
