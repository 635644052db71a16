/**
 * A program that makes, changes and removes things of every kind, so many operations in all, and in the
 * end everything that it made.
 *
 * Run as a program: `churn.ts DIRECTORY OPERATIONS`.
 */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** Names in turn: so many operations later the same one is met again. */
const NAMES = 97;

type Operation = (path: string, other: string) => void;

/** Each leaves at `path` a file, or nothing; what it makes beside it is gone again. */
const OPERATIONS: readonly Operation[] = [
  (path) => writeFileSync(path, "made\n"),
  (path) => appendFileSync(path, "more\n"),
  (path) => void readFileSync(path),
  (path, other) => renameSync(path, other),
  (path, other) => renameSync(other, path),
  (path) => truncateSync(path, 2),
  (path, other) => {
    linkSync(path, other);
    unlinkSync(path);
    renameSync(other, path);
  },
  (path, other) => {
    writeFileSync(other, "saved\n");
    renameSync(other, path);
  },
  (path, other) => {
    symlinkSync(path, other);
    unlinkSync(other);
  },
  (path, other) => {
    mkdirSync(other);
    renameSync(path, join(other, "inside"));
    renameSync(join(other, "inside"), path);
    rmSync(other, { recursive: true });
  },
  (path) => {
    chmodSync(path, 0o600);
    utimesSync(path, 1, 2);
  },
  (path) => void statSync(path),
  (path) => void readdirSync(join(path, "..")),
  // Open and removed: what is written to it is nowhere.
  (path) => {
    const fd = openSync(path, "r+");
    unlinkSync(path);
    writeSync(fd, "nowhere\n");
    closeSync(fd);
  },
];

export function churn(directory: string, operations: number): void {
  mkdirSync(directory);
  for (let done = 0; done < operations; done += 1) {
    const path = join(directory, `file-${Math.floor(done / OPERATIONS.length) % NAMES}`);
    OPERATIONS[done % OPERATIONS.length]!(path, `${path}.other`);
  }
  rmSync(directory, { recursive: true });
}

if (process.argv[1] === import.meta.filename) {
  const [, , directory = ".", operations] = process.argv;
  churn(directory, Number(operations));
}
