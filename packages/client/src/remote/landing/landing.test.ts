import { hash, randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ProblemError, problemOf, type Sha256, writeProblem } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Landed } from "../../sync/push/landed.ts";
import type { ContentOptions } from "../../sync/remote.ts";
import { HttpRemote } from "../http-remote.ts";
import { type Answer, serveScript } from "../testing/scripted-server.ts";

const MIB = 1024 * 1024;
const content = randomBytes(6 * MIB + 123);
const SHA256 = hash("sha256", content) as Sha256;
const TIMEOUTS = { connectMs: 1000, answerMs: 1000, stallMs: 5000 };

let directory: string;
let fd: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-landing-"));
  fd = openSync(join(directory, "file"), "w+");
  ftruncateSync(fd, content.length);
});

afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true, force: true });
});

interface Sending {
  /** The connection is cut after so many bytes of it. */
  readonly cutAfter?: number;
  /** Before the second half: the thread runs by then. */
  readonly pauseMs?: number;
  readonly headers?: Record<string, string>;
}

const send =
  ({ cutAfter = Infinity, pauseMs = 0, headers = {} }: Sending = {}): Answer =>
  (request, response) => {
    const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] = [Number(from), to ? Number(to) + 1 : content.length];
    const isPart = request.headers.range !== undefined;
    response.writeHead(isPart ? 206 : 200, {
      "Content-Length": end - start,
      ...(isPart && { "Content-Range": `bytes ${start}-${end - 1}/${content.length}` }),
      ...headers,
    });
    const body = content.subarray(start, end).subarray(0, cutAfter);
    const middle = Math.floor(body.length / 2);
    response.write(body.subarray(0, middle));
    const finish = (): void => {
      if (cutAfter > end - start) response.end(body.subarray(middle));
      else response.write(body.subarray(middle), () => response.destroy());
    };
    if (pauseMs === 0) finish();
    else void delay(pauseMs).then(finish);
  };

/** Fetches into the file as an arrival does: pieces are written here, what has landed is left. */
async function fetch(
  url: string,
  options: ContentOptions = {},
  { signal, stallMs = TIMEOUTS.stallMs }: { signal?: AbortSignal; stallMs?: number } = {},
) {
  await using remote = new HttpRemote(url, { timeouts: { ...TIMEOUTS, stallMs } });
  const { sizeBytes, bytes } = await remote.landContent(SHA256, fd, options, signal);
  const pieces: Buffer[] = [];
  const landed: number[] = [];
  let at = options.offsetBytes ?? 0;
  for await (const piece of bytes) {
    if (piece instanceof Landed) {
      landed.push(piece.length);
      const read = Buffer.alloc(piece.length);
      readSync(fd, read, 0, read.length, at);
      pieces.push(read);
    } else pieces.push(Buffer.from(piece));
    at += piece.length;
  }
  const got = Buffer.concat(pieces);
  return { sizeBytes, got, landedBytes: landed.reduce((sum, length) => sum + length, 0) };
}

describe("HttpRemote.landContent()", () => {
  test("has another thread write what comes once it runs, and gives what came before as pieces", async () => {
    await using server = await serveScript(send({ pauseMs: 700 }));
    const { sizeBytes, got, landedBytes } = await fetch(server.url);
    expect(sizeBytes).toBe(content.length);
    expect(got.equals(content)).toBe(true);
    expect(landedBytes).toBeGreaterThan(0);
    expect(server.requests).toHaveLength(1);
  });

  test("goes on where it was cut off, and only asks for the rest", async () => {
    await using server = await serveScript(
      send({ cutAfter: 4 * MIB, pauseMs: 700 }),
      send({ cutAfter: MIB }),
      send(),
    );
    const { got } = await fetch(server.url);
    expect(got.equals(content)).toBe(true);
    const ranges = server.requests.map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, `bytes=${4 * MIB}-`, `bytes=${5 * MIB}-`]);
  });

  test("writes a range, and nothing behind it", async () => {
    await using server = await serveScript(send({ pauseMs: 700 }));
    const { got } = await fetch(server.url, { offsetBytes: MIB, endBytes: 3 * MIB });
    expect(got.equals(content.subarray(MIB, 3 * MIB))).toBe(true);
    const behind = Buffer.alloc(4096);
    readSync(fd, behind, 0, behind.length, 3 * MIB);
    expect(behind.every((byte) => byte === 0)).toBe(true);
  });

  test.each<{ description: string; answer: Answer; requests: number }>([
    {
      description: "is in no plain form",
      answer: (request, response) => {
        response.setHeader("Vary", ["a", "b"]);
        send()(request, response);
      },
      requests: 2,
    },
    {
      description: "ignores a range",
      answer: (_, response) => {
        response.writeHead(200, { "Content-Length": content.length });
        response.end(content);
      },
      requests: 2,
    },
  ])("asks in the ordinary way where an answer $description", async ({ answer, requests }) => {
    await using server = await serveScript(answer);
    const { got, landedBytes } = await fetch(server.url, { offsetBytes: 5 * MIB });
    expect(got.equals(content.subarray(5 * MIB))).toBe(true);
    expect(landedBytes).toBe(0);
    expect(server.requests).toHaveLength(requests);
  });

  test("gives the server's problem", async () => {
    const problem = problemOf(
      new ProblemError("content-superseded", "Cannot send it", { recno: 9 }),
    );
    await using server = await serveScript((_, response) => {
      response.writeHead(problem.status, { "Content-Type": "application/problem+json" });
      response.end(writeProblem(problem));
    });
    await expect(fetch(server.url)).rejects.toMatchObject({ code: "content-superseded" });
  });

  test("takes nothing beyond the length that an answer has named", async () => {
    await using server = await serveScript((_, response) => {
      response.writeHead(206, {
        "Content-Length": 2 * MIB,
        "Content-Range": `bytes 0-${2 * MIB - 1}/${content.length}`,
      });
      response.write(content.subarray(0, MIB));
      void delay(700).then(() => response.write(content.subarray(MIB, 4 * MIB)));
    });
    const { got, landedBytes } = await fetch(server.url, { endBytes: 2 * MIB });
    expect(got.equals(content.subarray(0, 2 * MIB))).toBe(true);
    expect(landedBytes).toBeGreaterThan(0);
    const behind = Buffer.alloc(2 * MIB);
    readSync(fd, behind, 0, behind.length, 2 * MIB);
    expect(behind.every((byte) => byte === 0)).toBe(true);
  });

  test("asks for the rest where nothing comes to the thread any more", async () => {
    const silent: Answer = (_, response) => {
      response.writeHead(200, { "Content-Length": content.length });
      response.write(content.subarray(0, MIB));
      void delay(700).then(() => response.write(content.subarray(MIB, 2 * MIB)));
    };
    await using server = await serveScript(silent, send());
    const { got, landedBytes } = await fetch(server.url, {}, { stallMs: 1000 });
    expect(got.equals(content)).toBe(true);
    expect(landedBytes).toBeGreaterThan(0);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      `bytes=${2 * MIB}-`,
    ]);
  });

  test("gives up where nothing comes any more, after as many attempts as ever", async () => {
    await using server = await serveScript((_, response) => {
      response.writeHead(200, { "Content-Length": content.length });
      response.write(content.subarray(0, MIB));
    });
    const received = fetch(server.url, {}, { stallMs: 200 });
    await expect(received).rejects.toMatchObject({
      code: expect.stringMatching(/unreachable|protocol-error/),
    });
  });

  test("has let go of the file when a fetch that was ended has ended", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await serveScript((_, response) => {
      response.once("close", () => closed.resolve());
      response.writeHead(200, { "Content-Length": content.length });
      response.write(content.subarray(0, MIB));
      const sendOn = (at: number): void => {
        if (response.destroyed) return;
        response.write(content.subarray(at, at + 4096));
        setTimeout(() => sendOn(at + 4096), 1);
      };
      setTimeout(() => sendOn(MIB), 500);
    });
    const ending = new AbortController();
    const fetched = fetch(server.url, {}, { signal: ending.signal, stallMs: 60_000 });
    setTimeout(() => ending.abort(new Error("not wanted any more")), 1000);
    await expect(fetched).rejects.toThrow("not wanted any more");
    ftruncateSync(fd, 0);
    await closed.promise;
    await delay(200);
    expect(fstatSync(fd).size).toBe(0);
  });

  test("ends while nothing comes", async () => {
    await using server = await serveScript((_, response) => {
      response.writeHead(200, { "Content-Length": content.length });
      response.write(content.subarray(0, MIB));
      void delay(500).then(() => response.write(content.subarray(MIB, 2 * MIB)));
    });
    const ending = new AbortController();
    const fetched = fetch(server.url, {}, { signal: ending.signal, stallMs: 60_000 });
    setTimeout(() => ending.abort(new Error("not wanted any more")), 1000);
    await expect(fetched).rejects.toThrow("not wanted any more");
  });
});
