import { hash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";

import { type FilesetId, NO_RULES } from "@izo/core";
import { nodeDisk } from "@izo/sys";

import type { InodeForm } from "../cache/inode/inode-form.ts";
import type { FileSystem } from "../fuse/file-system.ts";
import { LocalFileSystem } from "../local-file-system.ts";
import { LocalReplica } from "../sync/replica/local-replica.ts";
import { wallClock } from "../wall-clock.ts";

/** Of no server. */
const NO_FILESET = "0".repeat(32) as FilesetId;

/** A file system with a cache of its own that nobody needs afterwards, and no server. */
export interface ScratchCache extends AsyncDisposable {
  readonly fileSystem: FileSystem;
  showRecorded(): void;
}

/** Makes one in a directory of its own, in place of what is there. Disposing of it removes the directory. */
export async function openScratchCache(
  directory: string,
  form: InodeForm,
  onError: (error: unknown) => void,
): Promise<ScratchCache> {
  await using stack = new AsyncDisposableStack();
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  remove();
  mkdirSync(directory, { mode: 0o700 });
  stack.defer(remove);
  const nowNs = wallClock();
  const replica = stack.use(
    await LocalReplica.open({
      cacheDir: directory,
      disk: nodeDisk,
      fileset: NO_FILESET,
      nowNs,
      hash: (bytes) => hash("sha256", bytes, "buffer"),
      onSyncFailed: onError,
    }),
  );
  const local = stack.use(
    new LocalFileSystem({
      cacheDir: directory,
      form,
      hostName: "",
      ignore: NO_RULES,
      log: replica,
      isReplica: false,
      newOid: () => replica.newOid(),
      nowNs,
      source: () => undefined,
      waitFor: () => Promise.resolve(),
      onWriterGone: () => {},
      onLongWritten: () => {},
      onProblem: (_path, error) => onError(error),
    }),
  );
  const held = stack.move();
  return {
    fileSystem: local.fileSystem,
    showRecorded: () => replica.showRecorded(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
