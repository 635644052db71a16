#!/usr/bin/env node
// Compiles native/*.c into prebuilds/<platform>-<arch>-<libc>/izo-sys.node with a plain C compiler ($CC, else cc). Does
// nothing when that file is no older than everything it is made from. Plain JavaScript, for it also runs from an installed
// package, where Node does not strip types, and on whatever Node the machine came with.

import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import headers from "node-api-headers";

const root = fileURLToPath(new URL("..", import.meta.url));
const nativeDir = join(root, "native");
const output = join(root, "prebuilds", target(), "izo-sys.node");

const inputs = [
  fileURLToPath(import.meta.url),
  ...readdirSync(nativeDir).map((name) => join(nativeDir, name)),
];
if (isCurrent(output, inputs)) {
  process.exit(0);
}
build();

/** As nativeTarget() in src/native/target.ts, where the reasons are. */
function target() {
  const { platform, arch } = process;
  if (platform !== "linux") {
    fail(`@izo/sys is for Linux, this is "${platform}"`);
  }
  const head = Buffer.alloc(4096);
  const fd = openSync(process.execPath, "r");
  readSync(fd, head, 0, head.length, 0);
  closeSync(fd);
  return `${platform}-${arch}-${head.includes("/ld-musl-") ? "musl" : "glibc"}`;
}

/** True when `file` is no older than each of `sources`. */
function isCurrent(file, sources) {
  const made = statSync(file, { throwIfNoEntry: false });
  return made !== undefined && sources.every((source) => statSync(source).mtimeMs <= made.mtimeMs);
}

function build() {
  const compiler = process.env.CC || "cc";
  // Compiled beside its place and renamed into it: a process that has the old file loaded keeps it, and nobody ever loads half a file.
  const unfinished = `${output}.${process.pid}`;
  mkdirSync(dirname(output), { recursive: true });
  const { error, status } = spawnSync(
    compiler,
    [
      "-shared",
      "-fPIC",
      "-std=c11",
      "-O2",
      "-Wall",
      "-Wextra",
      "-fvisibility=hidden",
      "-fstack-protector-strong",
      "-Wl,-z,now",
      "-D_GNU_SOURCE",
      "-D_FILE_OFFSET_BITS=64",
      "-DNAPI_VERSION=9",
      `-I${headers.include_dir}`,
      ...inputs.filter((input) => input.endsWith(".c")),
      "-o",
      unfinished,
    ],
    { stdio: "inherit" },
  );
  if (error?.code === "ENOENT") {
    fail(`there is no C compiler "${compiler}" (Debian: apt-get install gcc libc6-dev)`);
  }
  if (error !== undefined || status !== 0) {
    rmSync(unfinished, { force: true });
    fail(`"${compiler}" failed, see above`);
  }
  renameSync(unfinished, output);
}

function fail(reason) {
  console.error(`Cannot build the native part of @izo/sys: ${reason}`);
  process.exit(1);
}
