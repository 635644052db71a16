/**
 * A program that writes until it has done its steps or fails, and prints one line of JSON for each file
 * it has closed. Run in a process of its own, so that it can meet a mount that dies.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** A file that was closed, or removed where the text is null. */
export interface WorkloadStep {
  readonly path: string;
  readonly text: string | null;
  /** File and name were synced before the step was reported: no power cut may take them. */
  readonly isSynced: boolean;
}

export interface WorkloadOptions {
  readonly steps: number;
  /** The number of the first step: a second run in the same directory writes other contents. */
  readonly firstStep?: number;
  /** Every so many steps one is synced; none by default. */
  readonly syncEvery?: number;
}

/** So many files are written in turn; no multiple of the kinds of steps, so every file meets every kind. */
export const WORKLOAD_FILES = 37;

/** The file that a step is about. */
export function workloadFile(step: number): string {
  return `file-${step % WORKLOAD_FILES}`;
}

/** Creates, atomic saves, overwrites, renames and removals below `directory`, with unique contents. */
export function* workload(
  directory: string,
  author: string,
  { steps, firstStep = 0, syncEvery = 0 }: WorkloadOptions,
): Generator<WorkloadStep> {
  const base = join(directory, author);
  mkdirSync(base, { recursive: true });
  for (let step = firstStep; step < firstStep + steps; step++) {
    const path = join(base, workloadFile(step));
    const text = `${author} wrote this in step ${step}\n`.repeat(1 + (step % 7));
    const isSynced = syncEvery > 0 && step % syncEvery === 0;
    if (step % 5 === 2 && step > firstStep + WORKLOAD_FILES) {
      unlinkSync(path);
      if (isSynced) syncDirectory(base);
      yield { path, text: null, isSynced };
      continue;
    }
    if (step % 5 === 1) {
      writeFile(`${path}.tmp`, text, isSynced);
      renameSync(`${path}.tmp`, path);
      if (isSynced) syncDirectory(base);
    } else {
      writeFile(path, text, isSynced);
    }
    yield { path, text, isSynced };
  }
}

function writeFile(path: string, text: string, isSynced: boolean): void {
  const fd = openSync(path, "w");
  try {
    writeSync(fd, text);
    if (isSynced) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

if (process.argv[1] === import.meta.filename) {
  const [, , directory = ".", author = "nobody", options = "{}"] = process.argv;
  for (const step of workload(directory, author, JSON.parse(options) as WorkloadOptions)) {
    // `process.stdout` would queue what a slow reader leaves in the pipe, and lose it with the process.
    writeSync(1, `${JSON.stringify(step)}\n`);
  }
}
