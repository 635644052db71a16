/**
 * Which cache directory belongs to which mount point: a small file per mount in the runtime directory
 * (`/run/izo` for root, else `$XDG_RUNTIME_DIR/izo`), which a restart of the machine empties. Written by
 * `izo mount` when it serves and removed when it ends; after a kill it stays, and leads `izo mount`,
 * `izo umount` and `izo status` to what is left. Losing it loses no data: it only maps names.
 */
import { createHash } from "node:crypto";
import {
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

import { makeDirectories } from "@izo/sys";
import { z } from "zod";

const schema = z.object({
  mountPoint: z.string(),
  cacheDir: z.string(),
  url: z.string(),
  pid: z.int().positive(),
});

/** What is known of a mount without asking the process that serves it. */
export type MountNote = z.infer<typeof schema>;

/**
 * The absolute name of a mount point, symlinks resolved, without touching the mount itself: looking
 * at a dead mount fails, at a hanging one never ends.
 */
export function mountPointOf(path: string): string {
  const absolute = resolve(path);
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    // The parent is missing: what uses the path says so better.
    return absolute;
  }
}

/** Notes a mount; a file appears whole or not at all. */
export function noteMount(note: MountNote): void {
  const file = noteFile(note.mountPoint);
  makeDirectories(dirname(file));
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(note)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

/** The note of a mount point, or undefined where there is none that can be read. */
export function findMountNote(mountPoint: string): MountNote | undefined {
  const note = readNote(noteFile(mountPoint));
  return note?.mountPoint === mountPoint ? note : undefined;
}

function readNote(file: string): MountNote | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The notes of all mounts of this machine, by their mount points; of those that have died too. */
export function listMountNotes(): MountNote[] {
  let names: string[];
  try {
    names = readdirSync(join(runtimeDirectory(), "mounts"));
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readNote(join(runtimeDirectory(), "mounts", name)) ?? [])
    .toSorted((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
}

export function forgetMount(mountPoint: string): void {
  rmSync(noteFile(mountPoint), { force: true });
}

function noteFile(mountPoint: string): string {
  const name = createHash("sha256").update(mountPoint).digest("hex").slice(0, 32);
  return join(runtimeDirectory(), "mounts", `${name}.json`);
}

function runtimeDirectory(): string {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return "/run/izo";
  return join(process.env["XDG_RUNTIME_DIR"] ?? join(tmpdir(), `izo-${uid}`), "izo");
}
