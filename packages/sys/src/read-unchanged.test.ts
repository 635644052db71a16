import { closeSync, mkdirSync, openSync, renameSync, symlinkSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { native } from "./native/load.ts";
import { type ExpectedFile, readUnchanged } from "./read-unchanged.ts";
import { fstatat } from "./stat.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

const encoder = new TextEncoder();

function expectedOf(dirFd: number, name: string): ExpectedFile {
  const stat = fstatat(dirFd, name, { noFollow: true });
  const { dev, ino, ctimeNs, mtimeNs, btimeNs = 0n } = stat;
  const sizeBytes = BigInt(stat.size);
  return { name: encoder.encode(name), dev, ino, btimeNs, ctimeNs, mtimeNs, sizeBytes };
}

test("readUnchanged() gives the bytes of files whose stat is as expected, and null for all others", async () => {
  using directory = temporaryDirectory();
  const names = ["a", "edited", "empty", "gone", "ünknown", "z"];
  for (const name of names) writeFileSync(directory.join(name), name === "empty" ? "" : name);
  mkdirSync(directory.join("directory"));
  symlinkSync("a", directory.join("link"));
  const fd = openSync(directory.path, "r");
  try {
    const files = [...names, "directory", "link"].map((name) => expectedOf(fd, name));
    writeFileSync(directory.join("edited"), "Edited");
    renameSync(directory.join("gone"), directory.join("moved"));
    const read = await readUnchanged(fd, files);
    const texts = read.map((bytes) => bytes && Buffer.from(bytes).toString());
    expect(texts).toEqual(["a", null, "", null, "ünknown", "z", null, null]);
    expect(await readUnchanged(fd, [])).toEqual([]);
    for (const [key, value] of Object.entries(files[0]!)) {
      if (typeof value !== "bigint") continue;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await readUnchanged(fd, [{ ...files[0]!, [key]: value + 1n }])).toEqual([null]);
    }
  } finally {
    closeSync(fd);
  }
});

/** A stat of which only the size is something. */
function expected(sizeBytes: bigint): Uint8Array {
  return new Uint8Array(BigInt64Array.of(0n, 0n, 0n, 0n, 0n, sizeBytes).buffer);
}

test("readUnchanged() refuses what would read or write beyond its buffers", async () => {
  const name = Uint8Array.of(97, 0);
  const one = new Uint8Array(1);
  const refused = [
    native().readUnchanged(-1, name, expected(2n), one, one),
    native().readUnchanged(-1, name, expected(-1n), one, one),
    native().readUnchanged(-1, name.subarray(0, 1), expected(1n), one, one),
    native().readUnchanged(-1, name, expected(1n).subarray(8), one, one),
    native().readUnchanged(-1, name, expected(1n), one, new Uint8Array(2)),
  ];
  expect(refused).toEqual(refused.map(() => -22));
  const bad = { dev: 0n, ino: 0n, btimeNs: 0n, ctimeNs: 0n, mtimeNs: 0n, sizeBytes: 0n };
  await expect(readUnchanged(-1, [{ ...bad, name: Uint8Array.of(97, 0, 98) }])).rejects.toThrow(
    "there is a NUL",
  );
});
