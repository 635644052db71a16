/**
 * The LML: what a batch is about to do to the tree, durable before it does it (design S1). It holds one
 * batch at a time, whole records and the steps that they take, and is emptied when the index has them.
 *
 * A file that does not match its own hash was being written when the crash came: nothing of its batch
 * had been done.
 */

import { hash } from "node:crypto";
import { fdatasync } from "node:fs";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { promisify } from "node:util";

import { decodeRecord, encodeRecord, type ServerRecord } from "@izo/core";

const fdatasyncAsync = promisify(fdatasync);

/** How recovery finds out whether a step was done. Inodes as decimal text, paths as base64 of bytes. */
export type IntentProbe =
  /** Done when the item is not in staging any more. */
  | { readonly kind: "item-gone"; readonly item: string }
  /** Done when the item in staging is another inode: it was exchanged. */
  | { readonly kind: "item-exchanged"; readonly item: string; readonly ino: string }
  /** Done when something was taken out under this name. */
  | { readonly kind: "item-there"; readonly item: string }
  /** Done when this inode stands at this path. */
  | { readonly kind: "at-path"; readonly path: string; readonly ino: string }
  /** Done again, whether it was or not. */
  | { readonly kind: "repeat"; readonly path: string };

/** One record of a batch; the probe is null where it does nothing to the tree. */
export interface Intent {
  readonly record: ServerRecord;
  readonly probe: IntentProbe | null;
  /** What a move still has to take out: the path and inode of its victim, and the item it becomes. */
  readonly rest: IntentRest | null;
  /**
   * What an exchange still has to do: these further names hold the old inode until they are given the
   * one that stands at `from`. Null where the file has one name.
   */
  readonly links: IntentLinks | null;
}

export interface IntentRest {
  readonly path: string;
  readonly ino: string;
  readonly item: string;
}

export interface IntentLinks {
  readonly from: string;
  readonly to: readonly string[];
  readonly ino: string;
}

type StoredIntent = Omit<Intent, "record"> & { readonly record: string };

/** Makes the intents of a batch durable. */
export async function writeIntents(path: string, intents: readonly Intent[]): Promise<void> {
  const stored = intents.map(({ record, ...steps }): StoredIntent => ({
    record: Buffer.from(encodeRecord(record)).toString("base64"),
    ...steps,
  }));
  const body = JSON.stringify(stored);
  await replaceContent(path, `${hash("sha256", body)}\n${body}`);
}

/** Forgets them: the index has the records. Need not be durable, for the log tells the same. */
export async function clearIntents(path: string): Promise<void> {
  await using file = await open(path, "w");
  await file.truncate(0);
}

/** The intents of a batch that a crash cut off; none after a clean end. */
export async function readIntents(path: string): Promise<Intent[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (end < 0 || hash("sha256", body) !== text.slice(0, end)) return [];
  return (JSON.parse(body) as StoredIntent[]).map(({ record, ...steps }) => ({
    record: decodeRecord(Buffer.from(record, "base64")) as ServerRecord,
    ...steps,
  }));
}

async function replaceContent(path: string, text: string): Promise<void> {
  await using file: FileHandle = await open(path, "w", 0o600);
  await file.writeFile(text);
  await fdatasyncAsync(file.fd);
}
