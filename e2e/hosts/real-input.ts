/**
 * Input as people have it: the packages of this checkout, thousands of them, with symlinks and deep
 * paths, a Git repository with a program to build, and a directory of what real trees hold rarely.
 */
import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { lsetxattr, mknod, utimens } from "@izo/sys";

import { runCommand } from "./run-command.ts";

const CHECKOUT = join(import.meta.dirname, "../..");

/** Files beyond this are left out: a few native programs, which are most of the bytes and test nothing more. */
const MAX_FILE_SIZE = "128k";

export interface InputOptions {
  /** How often the packages are copied; 2 give over 20,000 files. */
  readonly copies?: number;
}

/** Builds the input in a new directory. */
export async function makeRealInput(directory: string, options: InputOptions = {}): Promise<void> {
  mkdirSync(directory);
  for (let copy = 1; copy <= (options.copies ?? 2); copy++) {
    const target = join(directory, `packages-${copy}`);
    const source = join(CHECKOUT, "node_modules", ".pnpm");
    await runCommand(["rsync", "-a", `--max-size=${MAX_FILE_SIZE}`, `${source}/`, `${target}/`]);
  }
  await makeProject(join(directory, "project"));
  makeOddities(join(directory, "odd"));
}

const MAKEFILE = `hello: main.o greet.o
\t$(CC) -o $@ $^
%.o: %.c greet.h
\t$(CC) -c -o $@ $<
`;

/** A repository with history and a program in C. */
async function makeProject(directory: string): Promise<void> {
  mkdirSync(join(directory, "src"), { recursive: true });
  writeFileSync(join(directory, "Makefile"), MAKEFILE);
  writeFileSync(join(directory, "greet.h"), "const char *greet(void);\n");
  writeFileSync(
    join(directory, "greet.c"),
    '#include "greet.h"\nconst char *greet(void) { return "hello"; }\n',
  );
  writeFileSync(
    join(directory, "main.c"),
    '#include <stdio.h>\n#include "greet.h"\nint main(void) { puts(greet()); return 0; }\n',
  );
  await runCommand(["cp", "-r", join(CHECKOUT, "packages/core/src/kml"), join(directory, "src")]);
  const git = (...args: string[]) =>
    runCommand(["git", "-c", "user.name=e2e", "-c", "user.email=e2e@localhost", ...args], {
      cwd: directory,
    });
  await git("init", "-q");
  await git("add", ".");
  await git("commit", "-q", "-m", "The first");
  writeFileSync(join(directory, "greet.h"), "/* Says it. */\nconst char *greet(void);\n");
  await git("commit", "-q", "-a", "-m", "The second");
}

const DEEP_LEVELS = 60;
const ODD_TIME_NS = 1_234_567_890_123_456_789n;

function makeOddities(directory: string): void {
  mkdirSync(directory);
  const at = (name: string): Buffer =>
    Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
  writeFileSync(at("empty"), "");
  writeFileSync(at("executable"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
  writeFileSync(at("with spaces and \"quotes\" 'both'"), "1");
  writeFileSync(at("line\nbreak"), "2");
  writeFileSync(at("-leading-dash"), "3");
  writeFileSync(at("ünïcödé-文件-🐟"), "4");
  writeFileSync(at("de\u0301compose\u0301"), "5");
  writeFileSync(at("n".repeat(255)), "the longest name");
  writeFileSync(at("set-user-id"), "6");
  chmodSync(at("set-user-id"), 0o4755);
  writeFileSync(at("write-only"), "7", { mode: 0o200 });
  writeFileSync(at("owned"), "8");
  chownSync(at("owned"), 12_345, 54_321);
  writeFileSync(at("nanoseconds"), "9");
  utimens(at("nanoseconds"), "omit", ODD_TIME_NS);
  writeFileSync(at("before-1970"), "10");
  utimens(at("before-1970"), "omit", -1_500_000_000n);
  writeFileSync(at("xattrs"), "11");
  lsetxattr(at("xattrs"), "user.colour", Buffer.from("blue"));
  lsetxattr(at("xattrs"), "user.bytes", Buffer.from([0, 255, 10]));
  writeFileSync(at("hard-link-1"), "one file");
  linkSync(at("hard-link-1"), at("hard-link-2"));
  symlinkSync("../project/main.c", at("symlink"));
  symlinkSync("nowhere/at all", at("dangling"));
  symlinkSync(".", at("to-itself"));
  mkdirSync(at("empty-directory"));
  mkdirSync(at("sticky"));
  chmodSync(at("sticky"), 0o1777);
  mknod(at("fifo"), 0o010644, 0);
  let deep = at("deep");
  for (let level = 0; level < DEEP_LEVELS; level++) {
    mkdirSync(deep);
    deep = Buffer.concat([deep, Buffer.from(`/level-${level}`)]);
  }
  writeFileSync(deep, "at the bottom");
}
