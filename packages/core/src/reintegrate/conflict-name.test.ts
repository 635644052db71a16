import { describe, expect, it } from "vitest";

import { textToBytes, type Name } from "../kml/name.ts";
import { conflictName, parseConflictName } from "./conflict-name.ts";

const TIME_NS = 1_767_323_045_987_654_321n;
const free = (): boolean => false;

describe("conflictName()", () => {
  const cases = [
    {
      description: "[K38] before the extension",
      name: "a.txt",
      expected: "a.conflict-20260102T030405Z-box.txt",
    },
    {
      description: "[K38] no extension",
      name: "Makefile",
      expected: "Makefile.conflict-20260102T030405Z-box",
    },
    {
      description: "[K39] a leading dot stays",
      name: ".bashrc",
      expected: ".bashrc.conflict-20260102T030405Z-box",
    },
    {
      description: "[K39] a leading dot and an extension",
      name: ".a.txt",
      expected: ".a.conflict-20260102T030405Z-box.txt",
    },
    {
      description: "[K39] .tar.* is one extension",
      name: "x.tar.gz",
      expected: "x.conflict-20260102T030405Z-box.tar.gz",
    },
    {
      description: "[K39] several dots",
      name: "v1.2.zip",
      expected: "v1.2.conflict-20260102T030405Z-box.zip",
    },
    {
      description: "[K41] a marker is replaced, never nested",
      name: "a.conflict-20250101T000000Z-other-2.txt",
      expected: "a.conflict-20260102T030405Z-box.txt",
    },
    {
      description: "[K39] a trailing dot",
      name: "a.",
      expected: "a.conflict-20260102T030405Z-box.",
    },
  ];
  it.each(cases)("$description", ({ name, expected }) => {
    expect(conflictName(name as Name, TIME_NS, "box", free)).toBe(expected);
  });

  it("[K41] counts up where names are taken", () => {
    const taken = new Set(["a.conflict-20260102T030405Z-box", "a.conflict-20260102T030405Z-box-2"]);
    expect(conflictName("a" as Name, TIME_NS, "box", (name) => taken.has(name))).toBe(
      "a.conflict-20260102T030405Z-box-3",
    );
  });

  it("[K40] keeps to 255 bytes and cuts at a character boundary", () => {
    const name = conflictName(`${"ü".repeat(120)}x.txt` as Name, TIME_NS, "box", free);
    expect(textToBytes(name).length).toBeLessThanOrEqual(255);
    expect(textToBytes(name).length).toBeGreaterThanOrEqual(254);
    expect(name).toMatch(/^ü+\.conflict-20260102T030405Z-box\.txt$/);
  });

  it("[K40] makes a host name safe for a file name", () => {
    expect(conflictName("a" as Name, TIME_NS, "../höst/1", free)).toBe(
      "a.conflict-20260102T030405Z-___h_st_1",
    );
  });

  it("survives a clock out of range", () => {
    expect(conflictName("a" as Name, -(10n ** 30n), "box", free)).toContain("19700101T000000Z");
    expect(conflictName("a" as Name, 10n ** 30n, "box", free)).toContain("99991231T235959Z");
  });
});

describe("parseConflictName()", () => {
  it.each(["a.txt", "Makefile", ".bashrc", "x.tar.gz"])(
    "[K38] reads what was made of %s",
    (name) => {
      const copy = conflictName(name as Name, TIME_NS, "web", free);
      const second = conflictName(name as Name, TIME_NS, "web", (taken) => taken === copy);
      for (const made of [copy, second]) {
        expect(parseConflictName(made)).toMatchObject({
          time: "2026-01-02T03:04:05Z",
          host: "web",
          originalName: name,
        });
      }
    },
  );

  it("gives a name that is no copy's, another for each copy", () => {
    const kept = ["", "-2"].map(
      (number) =>
        parseConflictName(`a.conflict-20260102T030405Z-box${number}.txt` as Name)?.keptName,
    );
    expect(kept).toEqual(["a.box-20260102T030405Z.txt", "a.box-20260102T030405Z-2.txt"]);
    expect(kept.map((name) => parseConflictName(name!))).toEqual([undefined, undefined]);
  });

  it.each(["a.txt", "a.conflict-x.txt", "conflict-20260102T030405Z-box"])(
    "takes %s for no copy",
    (name) => {
      expect(parseConflictName(name as Name)).toBeUndefined();
    },
  );
});
