/** What a failing disk does to an export, for tests. */
import { open } from "node:fs/promises";
import { join } from "node:path";

import type { Oid } from "@izo/core";
import { fstatat, futimens } from "@izo/sys";
import Database from "better-sqlite3";

import { DiskNotes, noteOfStat } from "../../db/disk-notes.ts";

const INDEX = ".intermezzo/rootfset/index.sqlite";

/** Changes the index of an export that nobody serves behind everybody's back. */
export function withIndex(dir: string, change: (index: Database.Database) => void): void {
  const index = new Database(join(dir, INDEX));
  change(index);
  index.close();
}

/** Gives a file other bytes of the same length, and its mtime back. */
export async function editKeepingTime(path: string, text: string): Promise<void> {
  const { mtimeNs } = fstatat(-1, path, { noFollow: true });
  await using file = await open(path, "r+");
  await file.write(text, 0);
  futimens(file.fd, "omit", mtimeNs);
}

/** What a failing disk does: other bytes, and a stat that says that nothing was done. */
export async function rotFile(dir: string, name: string): Promise<void> {
  const path = join(dir, name);
  await editKeepingTime(path, "#");
  withIndex(dir, (index) => {
    const inode = fstatat(-1, path, { noFollow: true });
    const oid = index
      .prepare("SELECT oid FROM disk WHERE ino = ?")
      .pluck()
      .get(inode.ino) as Buffer;
    new DiskNotes(index).put(oid.toString("hex") as Oid, noteOfStat(inode));
  });
}
