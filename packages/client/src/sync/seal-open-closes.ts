import { fstatSync } from "node:fs";

import type { ChangeSet, Sha256 } from "@izo/core";

import type { CacheExecutor, OwnClose, WrittenContent } from "./cache-executor.ts";
import type { LocalReplica } from "./local-replica.ts";
import type { QuietMoments } from "./quiet-moments.ts";

/** What sealing does with a file: both may take long, and anything can happen meanwhile. */
export interface SealingDisk {
  /** The SHA-256 of an open file from its start to its end. */
  readonly hash: (fd: number, sizeBytes: number) => Promise<Sha256>;
  readonly makeDurable: (fd: number) => Promise<void>;
}

export interface SealingOptions extends SealingDisk {
  readonly replica: LocalReplica;
  readonly cache: CacheExecutor;
  /** Each file waits for its moment: hashing can wait, and the program that writes the next one cannot. */
  readonly quiet: Pick<QuietMoments, "wait">;
  /** Makes the cache show what sealing has changed in the visible tree. */
  readonly show: (changes: ChangeSet) => void;
  /** A file could not be read or synced; it is tried again with the next round. */
  readonly onProblem: (error: unknown) => void;
}

/**
 * Gives the open CLOSEs of files that nobody writes any more their hash, one file after another.
 *
 * Which file a CLOSE is about is asked anew for each: while one is hashed, a conflict can part another
 * from its object.
 */
export async function sealOpenCloses(options: SealingOptions, signal: AbortSignal): Promise<void> {
  const { replica, quiet, onProblem } = options;
  for (const { recno, operation } of replica.unsealed()) {
    // oxlint-disable-next-line no-await-in-loop -- a moment for each
    await quiet.wait(signal);
    if (signal.aborted) return;
    // Sealed already, with one that was made on top of it.
    if (operation.opcode !== "CLOSE" || !replica.isOpen(recno)) continue;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one file at a time: the disk is the mount's, too
      await sealClose(options, { recno, operation });
    } catch (error) {
      onProblem(error);
    }
  }
}

/** Successive open CLOSEs of one file are one (design D9): all get what the file holds now. */
async function sealClose(options: SealingOptions, close: OwnClose): Promise<void> {
  const { replica, cache, show, hash, makeDurable } = options;
  const { peer } = replica;
  const found = cache.openWritten(close);
  // What was written is nowhere any more: nothing is left that this CLOSE could be about.
  if (found === "gone") show(replica.cancel(close.recno));
  using content = found === "written" ? await cache.copyWritten(close) : contentOf(found);
  if (content === undefined) return;
  const sha256 = await hash(content.fd, fstatSync(content.fd).size);
  await makeDurable(content.fd);
  if (!content.isUntouched || replica.peer !== peer) return;
  const { size, mtimeNs } = fstatSync(content.fd, { bigint: true });
  content.noteHash(sha256);
  for (const recno of content.closes) {
    if (replica.isOpen(recno))
      show(replica.seal(recno, { sizeBytes: Number(size), mtimeNs, sha256 }));
  }
}

function contentOf(found: WrittenContent | string): WrittenContent | undefined {
  return typeof found === "string" ? undefined : found;
}
