import { describe, expect, test } from "vitest";

import { inherit, isModeOnly, modeOf, withMode } from "./access-control-list.ts";

const TAGS = { u: 0x01, U: 0x02, g: 0x04, G: 0x08, m: 0x10, o: 0x20 };

/** A list of entries such as `u7`, `U6`: the tag and the permissions. */
function acl(...entries: string[]): Buffer {
  const list = Buffer.alloc(4 + entries.length * 8);
  list.writeUInt32LE(2);
  for (const [index, entry] of entries.entries()) {
    list.writeUInt16LE(TAGS[entry[0] as keyof typeof TAGS], 4 + index * 8);
    list.writeUInt16LE(Number(entry[1]), 6 + index * 8);
  }
  return list;
}

describe("access control lists", () => {
  test("modeOf() takes the group's bits from the mask, or from the group where there is none", () => {
    expect(modeOf(acl("u7", "U6", "g5", "m6", "o4"))).toBe(0o764);
    expect(modeOf(acl("u6", "g5", "o0"))).toBe(0o650);
  });

  test("isModeOnly() tells lists that name nobody", () => {
    expect(isModeOnly(acl("u7", "g5", "o4"))).toBe(true);
    expect(isModeOnly(acl("u7", "g5", "m5", "o4"))).toBe(false);
  });

  test("withMode() changes the mask and leaves the group", () => {
    expect(withMode(acl("u7", "U6", "g5", "m6", "o4"), 0o2410)).toEqual(
      acl("u4", "U6", "g5", "m1", "o0"),
    );
    expect(withMode(acl("u7", "g5", "o4"), 0o624)).toEqual(acl("u6", "g2", "o4"));
  });

  test("inherit() gives what both the list and the maker allow", () => {
    const defaults = acl("u7", "U7", "g5", "m7", "o5");
    expect(inherit(defaults, 0o100640)).toEqual({
      mode: 0o100640,
      list: acl("u6", "U7", "g5", "m4", "o0"),
    });
    expect(inherit(acl("u7", "g5", "o0"), 0o777)).toEqual({ mode: 0o750, list: undefined });
  });
});
