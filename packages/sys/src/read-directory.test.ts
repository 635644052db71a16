import { closeSync, mkdirSync, openSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { mknodat } from "./mknod.ts";
import { readDirectory } from "./read-directory.ts";
import { fstatat } from "./stat.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test("readDirectory() names every entry with type and inode, and neither . nor ..", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  mkdirSync(directory.join("sub"));
  symlinkSync("file", directory.join("link"));
  mknodat(directory.fd, "fifo", 0o10600);
  writeFileSync(directory.join("..."), "");
  const found = readDirectory(directory.fd).map(({ name, type, ino }) => ({
    name: String(name),
    type,
    ino,
  }));
  const expected = [
    { name: "...", type: "file" },
    { name: "fifo", type: "fifo" },
    { name: "file", type: "file" },
    { name: "link", type: "symlink" },
    { name: "sub", type: "directory" },
  ].map((entry) => ({ ...entry, ino: fstatat(directory.fd, entry.name, { noFollow: true }).ino }));
  expect(found.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(expected);
});

test("readDirectory() returns names that are not UTF-8 as they are", () => {
  using directory = temporaryDirectory();
  const name = Buffer.from([0xff, 0x20, 0xc3, 0x28, 0x0a]);
  writeFileSync(Buffer.concat([Buffer.from(`${directory.path}/`), name]), "");
  expect(readDirectory(directory.fd).map((entry) => entry.name)).toEqual([name]);
});

test("readDirectory() lists more entries than one block holds, and again from the start", () => {
  using directory = temporaryDirectory();
  const names = Array.from({ length: 2_000 }, (_, index) => `${"x".repeat(200)}-${index}`);
  for (const name of names) {
    writeFileSync(directory.join(name), "");
  }
  for (const _ of ["first", "again"]) {
    const found = readDirectory(directory.fd).map((entry) => String(entry.name));
    expect(found.toSorted()).toEqual(names.toSorted());
  }
});

test("readDirectory() of a removed directory is an error, not an empty listing", () => {
  using directory = temporaryDirectory();
  mkdirSync(directory.join("sub"));
  const fd = openSync(directory.join("sub"), "r");
  try {
    rmdirSync(directory.join("sub"));
    expect(errorOf(() => readDirectory(fd)).code).toBe("ENOENT");
  } finally {
    closeSync(fd);
  }
});

test("readDirectory() of a file is ENOTDIR", () => {
  using directory = temporaryDirectory();
  const fd = openSync(directory.join("file"), "w+");
  try {
    expect(errorOf(() => readDirectory(fd)).code).toBe("ENOTDIR");
  } finally {
    closeSync(fd);
  }
});
