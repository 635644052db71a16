import { describe, expect, test } from "vitest";

import { type Handle, HandleTable } from "./handle-table.ts";
import { HiddenNames } from "./hidden-names.ts";

const open: ReadonlySet<Handle> = new Set([new HandleTable().add(7, 3, "/d/f")]);
const first = ".fuse_hidden0000000700000001";

describe("HiddenNames.isHiding()", () => {
  test.for([
    { description: "libfuse's first name", to: `/d/${first}`, flags: 0, handles: open, is: true },
    {
      description: "a name tried after nine taken ones",
      to: "/d/.fuse_hidden000000070000000a",
      flags: 0,
      handles: open,
      is: true,
    },
    {
      description: "a counter that is not next",
      to: "/d/.fuse_hidden000000070000000b",
      flags: 0,
      handles: open,
      is: false,
    },
    {
      description: "no counter yet",
      to: "/d/.fuse_hidden0000000700000000",
      flags: 0,
      handles: open,
      is: false,
    },
    { description: "another directory", to: `/e/${first}`, flags: 0, handles: open, is: false },
    {
      description: "a file that is not open",
      to: `/d/${first}`,
      flags: 0,
      handles: new Set<Handle>(),
      is: false,
    },
    { description: "flags", to: `/d/${first}`, flags: 1, handles: open, is: false },
    { description: "a longer name", to: `/d/${first}0`, flags: 0, handles: open, is: false },
  ])("$description: $is", ({ to, flags, handles, is }) => {
    expect(new HiddenNames().isHiding("/d/f", to, flags, handles)).toBe(is);
  });

  test("accepts each counter once", () => {
    const names = new HiddenNames();
    expect(names.isHiding("/d/f", `/d/${first}`, 0, open)).toBe(true);
    expect(names.isHiding("/d/f", `/d/${first}`, 0, open)).toBe(false);
  });
});
