import { closeSync, openSync, symlinkSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
} from "./xattr.ts";

const BINARY = Uint8Array.from({ length: 256 }, (_, index) => index);

test.each([
  { description: "every byte", value: BINARY },
  { description: "nothing", value: new Uint8Array(0) },
])("lgetxattr() returns what lsetxattr() set: $description", ({ value }) => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "");
  lsetxattr(path, "user.izo", value);
  expect(lgetxattr(path, "user.izo")).toEqual(Buffer.from(value));
});

test("fgetxattr(), fsetxattr(), flistxattr() and fremovexattr() act on the open file", () => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  const fd = openSync(path, "w");
  try {
    fsetxattr(fd, "user.a", BINARY);
    fsetxattr(fd, "user.b", Buffer.from("b"));
    expect(fgetxattr(fd, "user.a")).toEqual(Buffer.from(BINARY));
    expect(flistxattr(fd).map(String)).toEqual(expect.arrayContaining(["user.a", "user.b"]));
    fremovexattr(fd, "user.a");
    expect(fgetxattr(fd, "user.a")).toBeUndefined();
    expect(llistxattr(path).map(String)).not.toContain("user.a");
  } finally {
    closeSync(fd);
  }
});

test("llistxattr() returns names as bytes, and none for a file without attributes", () => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  const name = Buffer.from([...Buffer.from("user."), 0xff, 0x80]);
  writeFileSync(path, "");
  const inherent = llistxattr(path).length; // security modules give every file some
  lsetxattr(path, name, BINARY);
  expect(llistxattr(path)).toHaveLength(inherent + 1);
  expect(llistxattr(path)).toContainEqual(name);
});

test("a value that was read stays what it was when the next one is read", () => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "");
  lsetxattr(path, "user.a", Buffer.from("first"));
  lsetxattr(path, "user.b", Buffer.from("second"));
  const first = lgetxattr(path, "user.a");
  lgetxattr(path, "user.b");
  expect(String(first)).toBe("first");
});

test("a missing attribute is undefined to get, ENODATA to remove and to replace, EEXIST tells of one that is there", () => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "");
  expect(lgetxattr(path, "user.none")).toBeUndefined();
  expect(errorOf(() => lremovexattr(path, "user.none")).code).toBe("ENODATA");
  expect(errorOf(() => lsetxattr(path, "user.none", BINARY, "replace")).code).toBe("ENODATA");
  lsetxattr(path, "user.none", BINARY, "create");
  expect(errorOf(() => lsetxattr(path, "user.none", BINARY, "create")).code).toBe("EEXIST");
});

test("lsetxattr() never follows a symlink", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  symlinkSync("file", directory.join("link"));
  expect(errorOf(() => lsetxattr(directory.join("link"), "user.a", BINARY)).code).toBe("EPERM");
  expect(lgetxattr(directory.join("file"), "user.a")).toBeUndefined();
});

test("lsetxattr() refuses more than 64 KiB with E2BIG", () => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "");
  expect(errorOf(() => lsetxattr(path, "user.a", new Uint8Array(65_537))).code).toBe("E2BIG");
});
