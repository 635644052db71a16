import {
  closeSync,
  constants,
  existsSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";

import { expect, test } from "vitest";

import { linkat, linkFd, mkdirat, readlinkat, symlinkat, unlinkat } from "./names.ts";
import { O_PATH, O_TMPFILE, openat } from "./open.ts";
import { fstatat } from "./stat.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test("mkdirat() and unlinkat() make and remove a directory, unlinkat() without `directory` does not", () => {
  using directory = temporaryDirectory();
  mkdirat(directory.fd, "sub", 0o700);
  expect(fstatat(directory.fd, "sub").mode).toBe(constants.S_IFDIR | 0o700);
  expect(errorOf(() => mkdirat(directory.fd, "sub", 0o700)).code).toBe("EEXIST");
  expect(errorOf(() => unlinkat(directory.fd, "sub")).code).toBe("EISDIR");
  unlinkat(directory.fd, "sub", { directory: true });
  expect(existsSync(directory.join("sub"))).toBe(false);
});

test("unlinkat() with `directory` leaves a directory that has entries, and a file", () => {
  using directory = temporaryDirectory();
  mkdirat(directory.fd, "sub", 0o700);
  writeFileSync(directory.join("sub/file"), "");
  const removal = (name: string) => () => unlinkat(directory.fd, name, { directory: true });
  expect(errorOf(removal("sub")).code).toBe("ENOTEMPTY");
  expect(errorOf(removal("sub/file")).code).toBe("ENOTDIR");
});

test("readlinkat() returns the target that symlinkat() was given, byte for byte", () => {
  using directory = temporaryDirectory();
  const target = Buffer.from([0x2e, 0x2e, 0x2f, 0xff, 0xfe]);
  symlinkat(target, directory.fd, "link");
  expect(readlinkat(directory.fd, "link")).toEqual(target);
  expect(errorOf(() => readlinkat(directory.fd, ".")).code).toBe("EINVAL");
});

test("readlinkat() of an empty path reads the open symlink itself", () => {
  using directory = temporaryDirectory();
  symlinkat("there", directory.fd, "link");
  const fd = openat(directory.fd, "link", O_PATH | constants.O_NOFOLLOW);
  try {
    expect(String(readlinkat(fd, ""))).toBe("there");
  } finally {
    closeSync(fd);
  }
});

test("linkat() links a symlink itself, and what it points to with `follow`", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  symlinkSync("file", directory.join("link"));
  linkat(directory.fd, "link", directory.fd, "link2");
  linkat(directory.fd, "link", directory.fd, "file2", { follow: true });
  expect(String(readlinkat(directory.fd, "link2"))).toBe("file");
  expect(fstatat(directory.fd, "file2").ino).toBe(fstatat(directory.fd, "file").ino);
});

test("linkFd() names an O_TMPFILE that was filled without a name", () => {
  using directory = temporaryDirectory();
  const fd = openat(directory.fd, ".", O_TMPFILE | constants.O_RDWR, 0o600);
  try {
    writeSync(fd, "whole");
    expect(existsSync(directory.join("file"))).toBe(false);
    linkFd(fd, directory.fd, "file");
    expect(readFileSync(directory.join("file"), "utf8")).toBe("whole");
    expect(errorOf(() => linkFd(fd, directory.fd, "file")).code).toBe("EEXIST");
  } finally {
    closeSync(fd);
  }
});
