import { lstatSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { makeDirectories } from "./make-directories.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test("makeDirectories() makes what is missing, for its user alone, and leaves what is there", () => {
  using temporary = temporaryDirectory();
  makeDirectories(join(temporary.path, "a/b/c"));
  makeDirectories(join(temporary.path, "a/b/c"));
  expect(lstatSync(join(temporary.path, "a/b")).mode & 0o777).toBe(0o700);
  expect(lstatSync(join(temporary.path, "a/b/c")).isDirectory()).toBe(true);
});

test("makeDirectories() takes a symlink to a directory for one", () => {
  using temporary = temporaryDirectory();
  makeDirectories(join(temporary.path, "there"));
  symlinkSync("there", join(temporary.path, "link"));
  makeDirectories(join(temporary.path, "link/below"));
  expect(lstatSync(join(temporary.path, "there/below")).isDirectory()).toBe(true);
});

test.each([
  { description: "a file is in the way", below: "file", code: "EEXIST" },
  { description: "a file is above it", below: "file/a/b", code: "ENOTDIR" },
])("makeDirectories() says so where $description", ({ below, code }) => {
  using temporary = temporaryDirectory();
  writeFileSync(join(temporary.path, "file"), "");
  const path = join(temporary.path, below);
  expect(() => makeDirectories(path)).toThrow(expect.objectContaining({ code }));
});

test.each(["/proc/none", "/proc/none/below"])(
  "makeDirectories() gives up on %s, where nothing can be made",
  (path) => {
    expect(() => makeDirectories(path)).toThrow(
      expect.objectContaining({ code: "ENOENT", path: "/proc/none" }),
    );
  },
);
