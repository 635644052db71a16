/**
 * The thread that raises events for programs which watch a mount. What it asks the kernel for comes back to this
 * process as requests of a FUSE mount, which the event loop answers: so it can be no part of the event loop.
 */
import { readlinkSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";

import { watchedInodes } from "./inotify-watches.ts";
import { deviceOf, type RaisedAt, raiseEvent } from "./raise-event.ts";
import type { Found, WatcherAnswer, WatcherRequest } from "./watcher-thread.ts";

// Who is told of what others did waits for nothing. Its number, as the kernel gives it with each request:
// `PID/task/TID`.
const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);

function tell(answer: WatcherAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  parentPort?.postMessage(answer);
}

function find(at: RaisedAt): Found {
  const startMs = performance.now();
  const watched = watchedInodes(deviceOf(at));
  return { watched, tookMs: performance.now() - startMs };
}

parentPort?.on("message", (request: WatcherRequest) => {
  try {
    if (request.kind === "find") tell({ found: find(request.at) });
    else {
      raiseEvent(request.at, request.event);
      tell({});
    }
  } catch (error) {
    tell({ error: error instanceof Error ? error.message : String(error) });
  }
});

tell({ thread });
