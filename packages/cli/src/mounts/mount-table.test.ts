import { expect, test } from "vitest";

import { findInMountTable, findIzoMountAbove, parseMountTable } from "./mount-table.ts";

const TABLE = [
  "24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
  String.raw`90 24 0:41 / /mnt/a\040b\134c rw,nosuid - fuse.izo izo rw,user_id=0`,
  "91 24 0:42 / /mnt/over rw - tmpfs tmpfs rw",
  "92 91 0:43 / /mnt/over rw master:2 - fuse.izo izo rw",
  "",
].join("\n");

test("parseMountTable() reads names with spaces and backslashes, and optional fields", () => {
  expect(parseMountTable(TABLE).map(({ mountPoint, type }) => [mountPoint, type])).toEqual([
    ["/", "ext4"],
    [String.raw`/mnt/a b\c`, "fuse.izo"],
    ["/mnt/over", "tmpfs"],
    ["/mnt/over", "fuse.izo"],
  ]);
});

test("findInMountTable() gives the mount that lies on top", () => {
  expect(findInMountTable("/mnt/over", TABLE)?.type).toBe("fuse.izo");
  expect(findInMountTable("/mnt", TABLE)).toBeUndefined();
});

test("findIzoMountAbove() finds the mount of izo that a place is in", () => {
  expect(findIzoMountAbove("/mnt/over/a/b", TABLE)?.mountPoint).toBe("/mnt/over");
  expect(findIzoMountAbove("/mnt/over", TABLE)?.mountPoint).toBe("/mnt/over");
  expect(findIzoMountAbove("/mnt/overcoat", TABLE)).toBeUndefined();
});

test("findInMountTable() reads the kernel's own table", () => {
  expect(findInMountTable("/proc")?.type).toBe("proc");
});
