/** The process that serves a pass-through mount in tests: `serve-pass-through.ts DRIVER BACKING MOUNT [CACHE_SECONDS]`. */
import { parseName } from "@izo/core";

import type { NodeId } from "../file-system.ts";
import { rootNode } from "../file-system.ts";
import { mountFuseNative } from "../fuse-native/fuse-native-driver.ts";
import { mountKernel } from "../kernel/kernel-driver.ts";
import { PassThrough } from "./pass-through.ts";

/** What a test may ask of this process. Answered with `Answer`. */
export type Question =
  | { readonly ask: "invalidate"; readonly paths: readonly string[] }
  | { readonly ask: "count" };

export interface Answer {
  readonly nodeCount: number;
  readonly willWriteCalls: number;
  readonly unlinkCalls: number;
  readonly errors: readonly string[];
}

const [driver = "", backing = "", mountPoint = "", cacheSeconds = "600"] = process.argv.slice(2);

// Modes come from the kernel with the caller's umask taken off already.
process.umask(0);

const errors: string[] = [];
const fileSystem = new PassThrough(backing);
const onError = (error: unknown) =>
  errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
const mount =
  driver === "kernel"
    ? await mountKernel(fileSystem, mountPoint, { onError })
    : await mountFuseNative(fileSystem, mountPoint, {
        onError,
        cacheSeconds: Number(cacheSeconds),
      });

// Frees a test that hangs in a system call on the mount and so cannot end this process itself.
setTimeout(() => process.kill(process.pid, "SIGKILL"), 120_000).unref();

process.once("SIGTERM", () => void mount[Symbol.asyncDispose]());
process.on("message", (question: Question) => void answer(question));
process.send?.({ isServing: true });

process.send?.({ end: await mount.closed });
process.disconnect?.();

async function answer(question: Question): Promise<void> {
  if (question.ask === "invalidate") {
    for (const path of question.paths) invalidate(path);
    await mount.invalidated();
  }
  const { nodeCount, willWriteCalls, unlinkCalls } = fileSystem;
  process.send?.({ nodeCount, willWriteCalls, unlinkCalls, errors } satisfies Answer);
}

function invalidate(path: string): void {
  const names = path.split("/");
  const last = names.pop() ?? "";
  const walked: NodeId[] = [];
  let parent = rootNode;
  for (const name of names) {
    const node = fileSystem.lookup(parent, parseName(name));
    if (node === undefined) break;
    walked.push(node);
    parent = node;
  }
  mount.invalidateEntry(parent, parseName(last));
  for (const node of walked) fileSystem.forget(node);
}
