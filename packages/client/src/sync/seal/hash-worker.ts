import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";

import type { Sha256 } from "@izo/core";
import { syncfs } from "@izo/sys";

import {
  asError,
  GrowingHashes,
  hashDescriptor,
  type HashReply,
  type HashRequest,
} from "./hash-file.ts";

// Of this thread alone: nobody waits for a hash, and the thread that it comes from may run before others.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

// A thread shares the descriptors of its process: nothing but a number has to be sent. Whoever asks
// keeps the descriptor open until the answer is there.
const growing = new GrowingHashes();

parentPort?.on("message", (request: HashRequest) => {
  const reply = answer(request);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  if (reply !== undefined) parentPort?.postMessage(reply);
});

function answer(request: HashRequest): HashReply | undefined {
  const { id } = request;
  try {
    if (request.kind === "settle") return { id, hashes: settle(request) };
    const sha256 = work(request);
    return sha256 && { id, sha256 };
  } catch (error) {
    // A part that could not be read is short, and its hash another one.
    const isAwaited = request.kind === "part" ? request.isLast : request.kind !== "drop";
    return isAwaited ? { id, error: asError(error).message } : undefined;
  }
}

function settle({ fds, directory }: HashRequest & { kind: "settle" }): (Sha256 | Error)[] {
  const hashes = fds.map((fd) => {
    try {
      return hashDescriptor(fd);
    } catch (error) {
      return asError(error);
    }
  });
  syncfs(directory);
  return hashes;
}

function work(request: HashRequest & { kind: "file" | "part" | "drop" }): Sha256 | undefined {
  if (request.kind === "file") return hashDescriptor(request.fd);
  if (request.kind === "part") return growing.add(request);
  growing.drop(request.id);
  return undefined;
}
