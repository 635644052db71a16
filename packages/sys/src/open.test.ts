import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";

import { expect, test } from "vitest";

import { openat, openat2, type ResolveOptions } from "./open.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./testing/temporary-directory.ts";

function fill(directory: TemporaryDirectory): void {
  mkdirSync(directory.join("sub"));
  writeFileSync(directory.join("sub/file"), "inside");
  symlinkSync("sub", directory.join("link"));
  symlinkSync("/etc", directory.join("absolute"));
  symlinkSync("../..", directory.join("sub/upwards"));
}

const REFUSED: {
  description: string;
  path: string;
  options: ResolveOptions;
  code: string;
}[] = [
  { description: "..", path: "../etc", options: { beneath: true }, code: "EXDEV" },
  { description: ".. behind a name", path: "sub/../..", options: { beneath: true }, code: "EXDEV" },
  { description: "an absolute path", path: "/etc", options: { beneath: true }, code: "EXDEV" },
  {
    description: "an absolute symlink",
    path: "absolute/passwd",
    options: { beneath: true },
    code: "EXDEV",
  },
  {
    description: "a symlink that leads out",
    path: "sub/upwards/x",
    options: { beneath: true },
    code: "EXDEV",
  },
  {
    description: "a symlink within",
    path: "link/file",
    options: { beneath: true, noSymlinks: true },
    code: "ELOOP",
  },
  {
    description: "a magic link",
    path: "/proc/self/cwd/x",
    options: { noMagicLinks: true },
    code: "ELOOP",
  },
  { description: "a mount point", path: "/proc/self", options: { noXdev: true }, code: "EXDEV" },
];

test.each(REFUSED)("openat2() refuses $description", ({ path, options, code }) => {
  using directory = temporaryDirectory();
  fill(directory);
  expect(errorOf(() => openat2(directory.fd, path, constants.O_RDONLY, options)).code).toBe(code);
});

test.each<{ description: string; path: string; options: ResolveOptions }>([
  { description: "a path beneath", path: "sub/file", options: { beneath: true, noSymlinks: true } },
  { description: "a symlink beneath", path: "link/file", options: { beneath: true } },
  { description: "/ as the root", path: "/../sub/file", options: { inRoot: true } },
])("openat2() opens $description", ({ path, options }) => {
  using directory = temporaryDirectory();
  fill(directory);
  const fd = openat2(directory.fd, path, constants.O_RDONLY, options);
  try {
    expect(readFileSync(fd, "utf8")).toBe("inside");
  } finally {
    closeSync(fd);
  }
});

test("openat2() creates with the mode given", () => {
  using directory = temporaryDirectory();
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
  const fd = openat2(directory.fd, "new", flags, { mode: 0o600, beneath: true });
  try {
    expect(fstatSync(fd).mode).toBe(constants.S_IFREG | 0o600);
  } finally {
    closeSync(fd);
  }
});

test("openat() opens relative to the directory, close-on-exec", () => {
  using directory = temporaryDirectory();
  fill(directory);
  const fd = openat(directory.fd, "sub/file", constants.O_RDONLY);
  try {
    expect(readFileSync(fd, "utf8")).toBe("inside");
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"));
    const O_CLOEXEC = 0o2000000; // asm-generic/fcntl.h
    expect(Number.parseInt(flags?.[1] ?? "", 8) & O_CLOEXEC).toBe(O_CLOEXEC);
  } finally {
    closeSync(fd);
  }
});
