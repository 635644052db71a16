import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { nodeDisk } from "./node-disk.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "izo-disk-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

test("nodeDisk writes at any offset, and reads back up to the end", async () => {
  const sub = join(dir, "a/b");
  nodeDisk.makeDirectory(sub);
  const path = join(sub, "file");
  const file = nodeDisk.open(path, "create");
  file.write(2, Uint8Array.of(1, 2, 3));
  await file.sync();
  file.truncate(4);
  file.syncBlocking();
  await nodeDisk.syncDirectory(sub);
  expect(file.sizeBytes()).toBe(4);
  expect([...file.read(1, 100)]).toEqual([0, 1, 2]);
  expect(file.read(4, 10)).toHaveLength(0);
  file.close();
  const again = nodeDisk.open(path, "write");
  again.write(0, Uint8Array.of(9));
  expect([...again.read(0, 4)]).toEqual([9, 0, 1, 2]);
  again.close();
  expect(nodeDisk.list(sub)).toEqual(["file"]);
  nodeDisk.remove(path);
  expect(nodeDisk.list(sub)).toEqual([]);
});

test("nodeDisk throws what the system says", () => {
  const enoent = expect.objectContaining({ code: "ENOENT" });
  expect(() => nodeDisk.open(join(dir, "none"), "read")).toThrow(enoent);
  expect(() => nodeDisk.open(join(dir, "none"), "write")).toThrow(enoent);
  expect(() => nodeDisk.list(join(dir, "none"))).toThrow(enoent);
});

test("nodeDisk throws ENOSPC when the device is full", () => {
  const file = nodeDisk.open("/dev/full", "write");
  expect(() => file.write(0, new Uint8Array(100))).toThrow(
    expect.objectContaining({ code: "ENOSPC" }),
  );
  file.close();
});
