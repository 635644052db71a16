/**
 * The LML: what a batch is about to do to the tree, durable before it does it (design S1). It holds one
 * batch at a time, whole records and the steps that they take, and is emptied when the index has them.
 *
 * A file that does not match its own hash was being written when the crash came: nothing of its batch
 * had been done.
 */

import { hash } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import { decodeRecord, encodeRecord, type ServerRecord } from "@izo/core";
import { fallocate, writeWhole } from "@izo/sys";

const fdatasyncAsync = promisify(fdatasync);

/**
 * The file is never shorter: overwriting it takes no new space, so a full disk takes removals. A batch
 * of 256 removals fits.
 */
const LEAST_BYTES = 256 * 1024;

/** Takes the space of the file, as far as there is any; without it a full disk refuses all batches. */
export function reserveIntents(path: string): void {
  const fd = openSync(path, "a", 0o600);
  try {
    if (fstatSync(fd).size < LEAST_BYTES) fallocate(fd, 0, 0, LEAST_BYTES);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "ENOSPC" && code !== "ENOTSUP" && code !== "EDQUOT") throw error;
  } finally {
    closeSync(fd);
  }
}

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
  const body = Buffer.from(JSON.stringify(stored));
  await overwrite(
    path,
    Buffer.concat([Buffer.from(`${hash("sha256", body)} ${body.length}\n`), body]),
  );
}

/** Forgets them: the index has the records. Need not be durable, for the log tells the same. */
export function clearIntents(path: string): void {
  const fd = openSync(path, "r+");
  try {
    writeSync(fd, NOTHING, 0, NOTHING.length, 0);
  } finally {
    closeSync(fd);
  }
}

/** Forgets them durably: the log does not tell that they are over, and what they say will not be true any more. */
export async function dropIntents(path: string): Promise<void> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    writeSync(fd, NOTHING, 0, NOTHING.length, 0);
    await fdatasyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}

/** In the place of a hash: nothing that follows is meant. */
const NOTHING = Buffer.from("-\n");

/** The intents of a batch that a crash cut off; none after a clean end. */
export async function readIntents(path: string): Promise<Intent[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  const end = bytes.indexOf("\n");
  const [digest, length] = bytes.toString("latin1", 0, Math.max(0, end)).split(" ");
  const body = bytes.subarray(end + 1, end + 1 + Number(length ?? 0));
  if (end < 0 || hash("sha256", body) !== digest) return [];
  return (JSON.parse(body.toString()) as StoredIntent[]).map(({ record, ...steps }) => ({
    record: decodeRecord(Buffer.from(record, "base64")) as ServerRecord,
    ...steps,
  }));
}

/**
 * What was there before is of a batch that is logged: nothing is lost when a crash tears the file. Only the
 * sync leaves this thread: to hand over each of the other calls takes longer than the call.
 */
async function overwrite(path: string, bytes: Buffer): Promise<void> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    writeWhole(fd, bytes);
    const { size } = fstatSync(fd);
    if (size > LEAST_BYTES && size > bytes.length) {
      ftruncateSync(fd, Math.max(LEAST_BYTES, bytes.length));
    }
    await fdatasyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}
