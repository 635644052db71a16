import { fstatSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";

import { expect, test } from "vitest";

import { Landed } from "../../sync/push/landed.ts";
import { type Answer, serveScript } from "../testing/scripted-server.ts";
import type { Landing } from "./landing-threads.ts";
import type { LandingEnd } from "./landing.ts";
import { plainGet } from "./plain-get.ts";

const SIZE_BYTES = 1024 * 1024;

const sendHalf: Answer = (_, response) => {
  response.writeHead(200, { "Content-Length": SIZE_BYTES });
  response.write(Buffer.alloc(SIZE_BYTES / 2));
};

/** A thread that lets go of the connection when the test says so. */
class HeldThread {
  readonly isReady = true;
  readonly order = Promise.withResolvers<Landing>();
  readonly end = Promise.withResolvers<LandingEnd>();

  async *land(order: Landing): AsyncGenerator<Landed, LandingEnd> {
    this.order.resolve(order);
    yield new Landed(1);
    return this.end.promise;
  }
}

test("a connection that a thread reads from stays open until the thread lets go of it, whatever the signal says", async () => {
  await using server = await serveScript(sendHalf);
  const { host, hostname, port } = new URL(server.url);
  const ending = new AbortController();
  const waits = { connectMs: 5000, answerMs: 5000, stallMs: 5000 };
  const address = { host: hostname, port: Number(port) };
  const request = { url: server.url, address, host, path: "/", headers: {}, ...waits };
  using response = await plainGet({ ...request, signal: ending.signal });
  const thread = new HeldThread();
  const place = { fd: -1, startBytes: 0, endBytes: SIZE_BYTES };
  const landed = drain(response!.land(() => thread, place));
  const { socketFd } = await thread.order.promise;
  const { ino } = fstatSync(socketFd);

  ending.abort(new Error("not wanted"));
  for (let turns = 0; turns < 5; turns += 1) {
    // oxlint-disable-next-line no-await-in-loop -- what was to close it would have done so
    await turn();
  }
  expect(fstatSync(socketFd).ino).toBe(ino);
  thread.end.resolve({ how: "stopped" });
  await expect(landed).rejects.toThrow("not wanted");
  await expect.poll(() => isOpen(socketFd, ino)).toBe(false);
});

function isOpen(fd: number, ino: number): boolean {
  try {
    return fstatSync(fd).ino === ino;
  } catch {
    return false;
  }
}

async function drain(pieces: AsyncIterable<unknown>): Promise<void> {
  for await (const piece of pieces) void piece;
}
