/**
 * Anchors: the tree at the place where a truncated log begins, as files in the state directory. The
 * index can be rebuilt from the log alone only as long as the log goes back to its first record; from
 * then on, an anchor and the records behind it are the truth.
 *
 * An anchor is durable before the first record that it stands for is removed, so a crash leaves one
 * anchor too many, never one too few. Its name carries the hash of its bytes, which are those of a
 * snapshot (docs/protocol.md): one that was damaged is refused, never half used.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import {
  IzoError,
  isSha256,
  parseSnapshotResponse,
  type Recno,
  type Sha256,
  type SnapshotRow,
  writeSnapshotResponse,
} from "@izo/core";

/** An anchor on disk; what it holds has not been read. */
export interface Anchor {
  /** The tree in it is that behind this record. */
  readonly recno: Recno;
  readonly sha256: Sha256;
  readonly path: string;
}

/** The bytes of an anchor are not those that were written. */
export class AnchorDamagedError extends IzoError {
  constructor(path: string) {
    super("anchor-damaged", `Cannot use the anchor "${path}": its bytes do not have its hash`, {
      path,
    });
  }
}

const NAME = /^([0-9]{16})-([0-9a-f]{64})\.snapshot$/;

/** Writes an anchor; durable, and found by {@link listAnchors}, when this resolves. */
export async function writeAnchor(
  dir: string,
  recno: Recno,
  rows: Iterable<SnapshotRow>,
): Promise<void> {
  const unfinished = join(dir, "new");
  const digest = createHash("sha256");
  {
    await using file = await open(unfinished, "w", 0o600);
    for (const chunk of writeSnapshotResponse(rows)) {
      digest.update(chunk);
      // oxlint-disable-next-line no-await-in-loop -- others get their turn between two chunks
      await file.write(chunk);
    }
    await file.datasync();
  }
  const name = `${String(recno).padStart(16, "0")}-${digest.digest("hex")}.snapshot`;
  await rename(unfinished, join(dir, name));
  await using directory = await open(dir);
  await directory.sync();
}

/** The anchors that are there, oldest first. */
export async function listAnchors(dir: string): Promise<Anchor[]> {
  const anchors: Anchor[] = [];
  for (const name of (await readdir(dir)).toSorted()) {
    const [, recno, sha256 = ""] = NAME.exec(name) ?? [];
    if (!isSha256(sha256)) continue;
    anchors.push({ recno: Number(recno) as Recno, sha256, path: join(dir, name) });
  }
  return anchors;
}

/** The rows of an anchor, once all of its bytes were checked. @throws AnchorDamagedError */
export async function readAnchor(anchor: Anchor): Promise<AsyncIterable<SnapshotRow>> {
  const digest = createHash("sha256");
  for await (const chunk of createReadStream(anchor.path)) digest.update(chunk as Buffer);
  if (digest.digest("hex") !== anchor.sha256) throw new AnchorDamagedError(anchor.path);
  return parseSnapshotResponse(createReadStream(anchor.path));
}

/** Removes the anchors that a log which begins behind `recno` does not need, and unfinished ones. */
export async function dropAnchorsBefore(dir: string, recno: Recno): Promise<void> {
  await rm(join(dir, "new"), { force: true });
  const outlived = (await listAnchors(dir)).filter((anchor) => anchor.recno < recno);
  await Promise.all(outlived.map(({ path }) => rm(path, { force: true })));
}
