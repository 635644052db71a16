import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";

import { hashDescriptor, type HashReply, type HashRequest } from "./hash-file.ts";

// Of this thread alone: nobody waits for a hash, and the thread that it comes from may run before others.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

// A thread shares the descriptors of its process: nothing but a number has to be sent. Whoever asks
// keeps the descriptor open until the answer is there.
parentPort?.on("message", ({ id, fd }: HashRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  parentPort?.postMessage(answer(id, fd));
});

function answer(id: number, fd: number): HashReply {
  try {
    return { id, sha256: hashDescriptor(fd) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}
