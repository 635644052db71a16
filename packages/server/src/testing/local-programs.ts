/**
 * Programs on the server's own disk, as users run them beside clients that push: they create, append,
 * save atomically, move, link, remove and change modes, in directories that come and go.
 *
 * Nothing that they do ends a content: what they replace or remove is moved out of the export, so a
 * content that is found nowhere afterwards was lost by the server.
 */

import { appendFile, chmod, link, mkdir, rename, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Random } from "@izo/core/testing";
import { renameat2 } from "@izo/sys";

const DIRECTORIES = ["", "x", "y", "x/z"];
const NAMES = ["a", "b", "c", "d", "e"];
const PAUSE_MS = 6;

export interface LocalProgramsOptions {
  readonly dir: string;
  /** Outside of the export, on the same file system: where removed files go. */
  readonly removedDir: string;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts. Returns what was written: each text once, somewhere in some file. */
export async function runLocalPrograms(options: LocalProgramsOptions): Promise<string[]> {
  const { random, signal } = options;
  const written: string[] = [];
  for (let step = 0; !signal.aborted; step += 1) {
    const text = `<local ${step}>`;
    try {
      if (await change(options, text, String(step))) written.push(text);
    } catch (error) {
      // Most names do not exist, and some were just taken by a push: what a program meets, too.
      if ((error as { syscall?: unknown }).syscall === undefined) throw error;
    }
    await sleep(random.below(PAUSE_MS));
  }
  return written;
}

/** A name that may or may not be there. */
export function pickPlace(random: Random): { readonly directory: string; readonly name: string } {
  return { directory: random.pick(DIRECTORIES), name: random.pick(NAMES) };
}

/** Does one thing. Returns whether it wrote the text. */
async function change(
  { dir, removedDir, random }: LocalProgramsOptions,
  text: string,
  step: string,
): Promise<boolean> {
  const pick = (): string => {
    const { directory, name } = pickPlace(random);
    return join(dir, directory, name);
  };
  const path = pick();
  switch (random.below(9)) {
    case 0:
      await writeFile(path, text, { flag: "wx" });
      return true;
    case 1:
      await appendFile(path, text);
      return true;
    case 2: {
      await writeFile(`${path}.tmp`, text, { flag: "wx" });
      replace(`${path}.tmp`, path, join(removedDir, step));
      return true;
    }
    case 3:
      renameat2(-1, path, -1, pick(), { noReplace: true });
      return false;
    case 4:
      replace(path, pick(), join(removedDir, step));
      return false;
    case 5:
      await rename(path, join(removedDir, step));
      return false;
    case 6:
      await link(path, pick());
      return false;
    case 7:
      await chmod(path, 0o600 + random.below(0o100));
      return false;
    default:
      await changeDirectory(dir, random);
      return false;
  }
}

async function changeDirectory(dir: string, random: Random): Promise<void> {
  const path = join(dir, random.pick(DIRECTORIES.slice(1)));
  const choice = random.below(4);
  if (choice < 2) await mkdir(path, { recursive: true });
  else if (choice === 2) await rmdir(path);
  else renameat2(-1, path, -1, join(dir, random.pick(["x", "y", "w"])), { noReplace: true });
}

/** As rename(2) over a name does, but for the inode that stood there, which goes to `removed`. */
function replace(from: string, to: string, removed: string): void {
  try {
    renameat2(-1, from, -1, to, { exchange: true });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    renameat2(-1, from, -1, to, { noReplace: true });
    return;
  }
  renameat2(-1, from, -1, removed, { noReplace: true });
}
