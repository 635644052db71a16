/**
 * A thread that receives contents into files. The bytes come from the kernel into one buffer and go from there to the
 * page cache; no other thread sees them, and V8 counts none of them. It has the priority of the thread that started it:
 * who reads waits for both.
 */
import { writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";

import { receive, type SysError } from "@izo/sys";

import type { LandingEnd, LandingNews, LandingOrder } from "./landing.ts";

/**
 * As much is written at once, up to a multiple of it: ext4 keeps it in one piece of memory, which takes half as long as in
 * pieces of 16 KiB.
 */
const PIECE_BYTES = 512 * 1024;

/** How soon it sees that it is to end, while nothing comes. */
const WAIT_MS = 100;

/** What comes slowly is handed on after so long. */
const PAUSE_MS = 5;

const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);

function say(news: LandingNews): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  parentPort?.postMessage(news);
}

function land({
  socketFd,
  fileFd,
  startBytes,
  endBytes,
  silenceMs,
  stop,
}: LandingOrder): LandingEnd {
  const isStopped = new Int32Array(stop);
  let silentMs = 0;
  for (let at = startBytes; at < endBytes;) {
    if (Atomics.load(isStopped, 0) !== 0) return { how: "stopped" };
    const wanted = Math.min(PIECE_BYTES - (at % PIECE_BYTES), endBytes - at);
    let received: number | undefined;
    try {
      received = receive(socketFd, buffer.subarray(0, wanted), {
        waitMs: WAIT_MS,
        pauseMs: PAUSE_MS,
      });
    } catch (error) {
      return failed("network", error);
    }
    if (received === 0) return { how: "cut-off" };
    if (received === undefined) {
      silentMs += WAIT_MS;
      if (silentMs >= silenceMs) return { how: "silent" };
      continue;
    }
    silentMs = 0;
    try {
      for (let written = 0; written < received;)
        written += writeSync(fileFd, buffer, written, received - written, at + written);
    } catch (error) {
      return failed("disk", error);
    }
    at += received;
    say(received);
  }
  return { how: "whole" };
}

function failed(how: "network" | "disk", error: unknown): LandingEnd {
  const { message, code } = error as SysError;
  return { how, message, code };
}

parentPort?.on("message", (order: LandingOrder) => say(land(order)));
say("ready");
