import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CannotResolveError } from "./conflict-error.ts";

/** The contents that a merge command gets. */
export interface MergeInput {
  /** Of the file that keeps the name, for `%P` and for errors. */
  readonly path: string;
  /** Empty where there is no ancestor, as git has it. */
  readonly ancestor: Buffer;
  readonly ours: Buffer;
  readonly theirs: Buffer;
}

/**
 * Runs a merge command in the form of git's merge drivers: `%O` is a file with the ancestor's content,
 * `%A` with ours, `%B` with theirs, `%P` the path. The command leaves the result in `%A` and ends with 0.
 *
 * @throws CannotResolveError when it ends otherwise
 * @example await runMerge("git merge-file %A %O %B", input, signal)
 */
export async function runMerge(
  command: string,
  input: MergeInput,
  signal: AbortSignal,
): Promise<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), "izo-merge-"));
  try {
    const files = {
      O: join(directory, "ancestor"),
      A: join(directory, "ours"),
      B: join(directory, "theirs"),
    };
    writeFileSync(files.O, input.ancestor);
    writeFileSync(files.A, input.ours);
    writeFileSync(files.B, input.theirs);
    const values: Readonly<Record<string, string>> = { ...files, P: input.path, "%": "%" };
    const line = command.replaceAll(/%([OABP%])/g, (_, letter: string) =>
      letter === "%" ? "%" : quote(values[letter]!),
    );
    const child = spawn("/bin/sh", ["-c", line], {
      stdio: ["ignore", "inherit", "inherit"],
      signal,
    });
    const [status, killedBy] = (await once(child, "close")) as [number | null, string | null];
    if (status !== 0) {
      const end = killedBy ?? `status ${status}`;
      throw new CannotResolveError(input.path, `the merge command ended with ${end}`);
    }
    return readFileSync(files.A);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A word for a POSIX shell, whatever is in it. */
function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
