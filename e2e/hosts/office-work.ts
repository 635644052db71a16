/**
 * A program that works on a tree as people do: editors save, directories are renamed, files come and go,
 * git commits. Everything is drawn from a seed. Others may change the same tree meanwhile, so a step can
 * find that its file is gone; that is counted and no fault.
 *
 * Run in a process of its own, because what it works on can be a mount that hangs. It prints one line of
 * JSON: what it did.
 */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { randomFrom } from "./random-from.ts";

/** What a worker did. */
export interface OfficeWork {
  readonly operations: number;
  /** Steps that found their file or directory gone, or a name taken. */
  readonly missed: number;
  readonly commits: number;
}

export interface OfficeOptions {
  readonly directory: string;
  readonly author: string;
  readonly operations: number;
  /** Over which the operations are spread; 0 for as fast as it goes. */
  readonly seconds: number;
  readonly seed: number;
  /** Of `directory`, which is a repository of git; only one worker may commit. */
  readonly commits: boolean;
}

/** What the steps of a worker share. */
interface Desk {
  readonly directory: string;
  readonly author: string;
  readonly random: () => number;
  files: string[];
  directories: string[];
  count: number;
}

type Step = (desk: Desk) => void;

/** How often each step comes, in parts of the sum of all. */
const STEPS: readonly (readonly [share: number, step: Step])[] = [
  [25, saveAtomically],
  [10, saveWithBackup],
  [15, (desk) => writeFileSync(anyFile(desk), textOf(desk))],
  [10, (desk) => appendFileSync(anyFile(desk), textOf(desk))],
  [12, createFile],
  [8, (desk) => unlinkSync(anyFile(desk))],
  [6, (desk) => renameSync(anyFile(desk), join(anyDirectory(desk), `moved-${nameOf(desk)}`))],
  [5, (desk) => mkdirSync(join(anyDirectory(desk), `made-${nameOf(desk)}`))],
  [5, renameDirectory],
  [1, (desk) => rmSync(anyBelow(desk), { recursive: true })],
];

/** Steps between two looks at what there is, and between two commits. */
const LOOK_EVERY = 40;
const COMMIT_EVERY = 60;

/** What others can do to a step; every other error is a fault. */
const MISSED = new Set(["ENOENT", "EEXIST", "ENOTEMPTY", "ENOTDIR", "EISDIR", "EINVAL"]);

/** Works until all operations are done. */
export async function doOfficeWork(options: OfficeOptions): Promise<OfficeWork> {
  const { directory, author, operations, seconds, seed } = options;
  const desk: Desk = {
    directory,
    author,
    random: randomFrom(seed),
    files: [],
    directories: [],
    count: 0,
  };
  const startMs = performance.now();
  let missed = 0;
  let commits = 0;
  while (desk.count < operations) {
    if (desk.count % LOOK_EVERY === 0) look(desk);
    desk.count += 1;
    if (!attempt(() => pickStep(desk)(desk))) missed += 1;
    if (options.commits && desk.count % COMMIT_EVERY === 0 && commit(desk)) commits += 1;
    const dueMs = (desk.count / operations) * seconds * 1000;
    // oxlint-disable-next-line no-await-in-loop -- the pace is what the time is for
    await delay(Math.max(0, startMs + dueMs - performance.now()));
  }
  return { operations, missed, commits };
}

function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && MISSED.has(String(error.code))) return false;
    throw error;
  }
}

function pickStep({ random }: Desk): Step {
  let left = random() * STEPS.reduce((sum, [share]) => sum + share, 0);
  for (const [share, step] of STEPS) {
    left -= share;
    if (left < 0) return step;
  }
  return saveAtomically;
}

/** As most editors: a temporary file, made durable, takes the name. */
function saveAtomically(desk: Desk): void {
  const file = anyFile(desk);
  const temporary = join(dirname(file), `.${basename(file)}.${desk.author}.tmp`);
  const fd = openSync(temporary, "w");
  try {
    writeSync(fd, textOf(desk));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
}

/** As vim without backupcopy: the old file steps aside, and goes when the new one is written. */
function saveWithBackup(desk: Desk): void {
  const file = anyFile(desk);
  renameSync(file, `${file}~`);
  writeFileSync(file, textOf(desk));
  unlinkSync(`${file}~`);
}

function createFile(desk: Desk): void {
  const file = join(anyDirectory(desk), `new-${nameOf(desk)}`);
  writeFileSync(file, textOf(desk));
  desk.files.push(file);
}

function renameDirectory(desk: Desk): void {
  const from = anyBelow(desk);
  renameSync(from, join(anyDirectory(desk), `renamed-${nameOf(desk)}`));
}

function commit({ directory, author, count }: Desk): boolean {
  const git = (...args: string[]): void =>
    void execFileSync("git", ["-C", directory, "-c", "gc.auto=0", ...args], { stdio: "pipe" });
  try {
    git("add", "--all");
    git("commit", "--quiet", "--allow-empty", "--message", `${author} ${count}`);
    return true;
  } catch (error) {
    // A file that went while it was added is no fault of git's, nor of ours.
    if (String((error as { stderr?: Buffer }).stderr).includes("No such file")) return false;
    throw error;
  }
}

/** Looks at what there is now, without git's own files. */
function look(desk: Desk): void {
  desk.files = [];
  desk.directories = [desk.directory];
  for (const directory of desk.directories) {
    attempt(() => {
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        if (entry.name === ".git") continue;
        const path = join(directory, entry.name);
        if (entry.isDirectory()) desk.directories.push(path);
        else if (entry.isFile()) desk.files.push(path);
      }
    });
  }
  if (desk.files.length === 0) createFile(desk);
}

function anyFile({ files, random }: Desk): string {
  return files[Math.floor(random() * files.length)]!;
}

function anyDirectory({ directories, random }: Desk): string {
  return directories[Math.floor(random() * directories.length)]!;
}

/** A directory that may go: not the one in which all is. */
function anyBelow(desk: Desk): string {
  const { directories, random } = desk;
  if (directories.length < 2) return join(desk.directory, "nowhere");
  return directories[1 + Math.floor(random() * (directories.length - 1))]!;
}

function nameOf({ author, count }: Desk): string {
  return `${author}-${count}`;
}

/** No two contents are equal, so that each can be accounted for. */
function textOf(desk: Desk): string {
  return `${desk.author} wrote this in step ${desk.count}\n`.repeat(1 + (desk.count % 23));
}

if (process.argv[1] === import.meta.filename) {
  const options = JSON.parse(process.argv[2] ?? "{}") as OfficeOptions;
  process.stdout.write(JSON.stringify(await doOfficeWork(options)));
}
