/** The process that mounts a cache with no server, in tests: `serve-cache.ts DRIVER CACHE MOUNT [IGNORED…]`. */
import { hash, randomUUID } from "node:crypto";

import { type ClientOperation, type FilesetId, IgnoreRules, type Oid } from "@izo/core";
import { nodeDisk } from "@izo/sys";

import { lockCache } from "../cache/cache-lock.ts";
import type { DriverName } from "../fuse/driver-name.ts";
import { mountDriver } from "../fuse/mount-driver.ts";
import { LocalFileSystem } from "../local-file-system.ts";
import { LocalReplica } from "../sync/replica/local-replica.ts";
import { wallClock } from "../wall-clock.ts";

/** What this process says: it serves, or it answers a question. */
export interface ServedAnswer {
  /** Operations of the records that wait. */
  readonly pending: readonly ClientOperation[];
  readonly errors: readonly string[];
  /** What recovery made records of; null after a clean stop. */
  readonly recovered: readonly string[] | null;
}

const [driver, cacheDir = "", mountPoint = "", ...ignore] = process.argv.slice(2);
const errors: string[] = [];
const note = (error: unknown): void => void errors.push(String(error));

await using stack = new AsyncDisposableStack();
const { form } = stack.use(lockCache(cacheDir));
const nowNs = wallClock();
const replica = stack.use(
  await LocalReplica.open({
    cacheDir,
    disk: nodeDisk,
    fileset: "f5".repeat(16) as FilesetId,
    nowNs,
    hash: (bytes) => hash("sha256", bytes, "buffer"),
    onSyncFailed: note,
  }),
);
const local = stack.use(
  new LocalFileSystem({
    cacheDir,
    form,
    hostName: "test",
    ignore: new IgnoreRules(ignore),
    log: replica,
    isReplica: false,
    newOid: () => randomUUID().replaceAll("-", "") as Oid,
    nowNs,
    source: () => undefined,
    waitFor: () => Promise.resolve(),
    onWriterGone: () => {},
    onLongWritten: () => {},
    onProblem: (path, error) => note(`${path}: ${String(error)}`),
  }),
);
const fuse = stack.use(
  await mountDriver(local.fileSystem, mountPoint, {
    driver: driver as DriverName,
    backingDir: cacheDir,
    onError: note,
  }),
);
local.connect(fuse);

// Frees a test that hangs in a system call on the mount and so cannot end this process itself.
setTimeout(() => process.kill(process.pid, "SIGKILL"), 120_000).unref();

process.once("SIGTERM", () => void fuse[Symbol.asyncDispose]());
process.on("message", answer);
answer();
await fuse.closed;
process.removeListener("message", answer);
process.disconnect?.();

function answer(): void {
  fuse.catchUp?.();
  const pending = replica.pending.unsent.map(({ operation }) => operation);
  process.send?.({
    pending,
    errors,
    recovered: local.recovered?.logged ?? null,
  } satisfies ServedAnswer);
}
