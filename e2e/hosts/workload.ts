/**
 * A program that writes until it is told to stop or fails, and prints one line of JSON for each file it
 * has closed: path and text. Run in a process of its own, so that it can meet a mount that dies.
 */
import { mkdirSync, renameSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A file that was closed, or removed where the text is null. */
export interface WorkloadStep {
  readonly path: string;
  readonly text: string | null;
}

/** So many files are written in turn; no multiple of the kinds of steps, so every file meets every kind. */
export const WORKLOAD_FILES = 37;

/** Creates, atomic saves, overwrites, renames and removals below `directory`, with unique contents. */
export function* workload(
  directory: string,
  author: string,
  steps: number,
): Generator<WorkloadStep> {
  const base = join(directory, author);
  mkdirSync(base, { recursive: true });
  for (let step = 0; step < steps; step++) {
    const path = join(base, `file-${step % WORKLOAD_FILES}`);
    const text = `${author} wrote this in step ${step}\n`.repeat(1 + (step % 7));
    if (step % 5 === 1) {
      writeFileSync(`${path}.tmp`, text);
      renameSync(`${path}.tmp`, path);
    } else if (step % 5 === 2 && step > WORKLOAD_FILES) {
      unlinkSync(path);
      yield { path, text: null };
      continue;
    } else {
      writeFileSync(path, text);
    }
    yield { path, text };
  }
}

if (process.argv[1] === import.meta.filename) {
  const [, , directory = ".", author = "nobody", steps = "100"] = process.argv;
  for (const step of workload(directory, author, Number(steps))) {
    // `process.stdout` would queue what a slow reader leaves in the pipe, and lose it with the process.
    writeSync(1, `${JSON.stringify(step)}\n`);
  }
}
