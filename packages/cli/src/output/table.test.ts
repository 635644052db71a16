import { expect, test } from "vitest";

import { formatFields, formatTable } from "./table.ts";

test("formatTable() aligns the columns and ends no line in spaces", () => {
  const columns = [
    { title: "peer" },
    { title: "recno", align: "right" },
    { title: "host" },
  ] as const;
  const rows = [
    ["a", "7", "nas"],
    ["bcdef", "1041", ""],
  ];
  expect(formatTable(columns, rows)).toBe(
    ["peer   recno  host", "a          7  nas", "bcdef   1041"].join("\n"),
  );
});

test("formatTable() counts a combined character as one column", () => {
  const rows = [
    ["e\u0301", "x"],
    ["ab", "y"],
  ];
  expect(formatTable([{ title: "n" }, { title: "v" }], rows)).toBe(
    ["n   v", "e\u0301   x", "ab  y"].join("\n"),
  );
});

test("formatTable() shows a cell that would be more than one, or that a terminal obeys, as an escape", () => {
  expect(formatTable([{ title: "host" }], [["a\nb"], ["\u001b[2J"], ["c"]])).toBe(
    ["host", String.raw`"a\nb"`, String.raw`"\u001b[2J"`, "c"].join("\n"),
  );
});

test("formatFields() puts the values under each other", () => {
  const fields = [
    ["state", "polling"],
    ["headRecno", "41"],
  ] as const;
  expect(formatFields(fields)).toBe("state      polling\nheadRecno  41");
});
