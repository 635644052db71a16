import { describe, expect, it } from "vitest";

import { countMeetings, unifiedDiff } from "./unified-diff.ts";

const lines = (text: string): string[] => text.split("");

describe("unifiedDiff()", () => {
  it.each([
    { description: "equal texts", before: "abc", after: "abc", expected: [] },
    {
      description: "a change in the middle, with three lines around it",
      before: "abcdefghi",
      after: "abcdXfghi",
      expected: ["@@ -2,7 +2,7 @@", " b", " c", " d", "-e", "+X", " f", " g", " h"],
    },
    {
      description: "everything new",
      before: "",
      after: "ab",
      expected: ["@@ -1,0 +1,2 @@", "+a", "+b"],
    },
    {
      description: "everything gone",
      before: "ab",
      after: "",
      expected: ["@@ -1,2 +1,0 @@", "-a", "-b"],
    },
    {
      description: "changes that are near each other in one piece, others apart",
      before: "abcdefghijklmnop",
      after: "Xbcdefghijklmn",
      expected: [
        "@@ -1,4 +1,4 @@",
        "-a",
        "+X",
        " b",
        " c",
        " d",
        "@@ -12,5 +12,3 @@",
        " l",
        " m",
        " n",
        "-o",
        "-p",
      ],
    },
  ])("shows $description", ({ before, after, expected }) => {
    expect(unifiedDiff(lines(before), lines(after))).toEqual(expected);
  });
});

describe("countMeetings()", () => {
  it("counts the places that both changed, each in its own way", () => {
    expect(countMeetings(lines("aXcdef"), lines("abcdef"), lines("aYcdeZ"))).toBe(1);
    expect(countMeetings(lines("aXcdef"), lines("abcdef"), lines("abcdeZ"))).toBe(0);
    expect(countMeetings(lines("aXcdef"), lines("abcdef"), lines("aXcdef"))).toBe(0);
  });
});
