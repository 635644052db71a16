import { hash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

import {
  HEADERS,
  MEDIA_TYPES,
  type PeerId,
  problemOf,
  ProblemError,
  type Recno,
  type Sha256,
  writeContentPackEnd,
  writePackedContents,
  writePollWithContents,
  writeProblem,
} from "@izo/core";
import { describe, expect, test } from "vitest";

import { HttpRemote } from "./http-remote.ts";
import { type Answer, serveScript } from "./testing/scripted-server.ts";

const TIMEOUTS = { connectMs: 1000, answerMs: 1000, stallMs: 1000 };
const HEAD = `3/${"ab".repeat(32)}`;
const POSITION = { recno: 3 as Recno, hash: "ab".repeat(32) as Sha256 };
const PEER = "01".repeat(16) as PeerId;

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
const SHA256 = hash("sha256", content) as Sha256;

const remoteOf = (url: string): HttpRemote => new HttpRemote(url, { timeouts: TIMEOUTS });

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collect(bytes));
}

const answerProblem =
  (error: ProblemError): Answer =>
  (_, response) => {
    const problem = problemOf(error);
    response.writeHead(problem.status, { "Content-Type": "application/problem+json" });
    response.end(writeProblem(problem));
  };

/** Sends the content from the asked offset on, and cuts the connection after some bytes. */
const sendContent =
  (cutAfter = Infinity): Answer =>
  (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "Content-Length": rest.length,
      ...(start > 0 && {
        "Content-Range": `bytes ${start}-${content.length - 1}/${content.length}`,
      }),
    });
    if (cutAfter >= rest.length) response.end(rest);
    else response.write(rest.subarray(0, cutAfter), () => response.destroy());
  };

/** Says how much of an upload is there. */
const progress =
  (offset: number, isComplete: boolean, status = 404): Answer =>
  (request, response) => {
    request.resume();
    response.writeHead(status, {
      [HEADERS.uploadOffset]: offset,
      [HEADERS.uploadComplete]: isComplete ? "?1" : "?0",
    });
    response.end();
  };
const source = (offset: number): AsyncIterable<Uint8Array> =>
  (async function* () {
    yield content.subarray(offset);
  })();

describe("HttpRemote", () => {
  test("gives the server's problem, with code, status and data", async () => {
    const problem = new ProblemError("log-truncated", "Cannot read the log", { oldest: 9 });
    await using server = await serveScript(answerProblem(problem));
    await using remote = remoteOf(server.url);
    await expect(remote.poll(POSITION)).rejects.toMatchObject({
      name: "RemoteProblemError",
      code: "log-truncated",
      status: 410,
      data: { oldest: 9 },
    });
  });

  describe("contents that come along with the log", () => {
    const small = Buffer.from("small");
    const sha256 = hash("sha256", small) as Sha256;
    const along =
      (bytes: Uint8Array): Answer =>
      (_, response) => {
        response.writeHead(200, {
          "Content-Type": MEDIA_TYPES.kmlWithContents,
          [HEADERS.head]: HEAD,
        });
        const contents = [{ sha256, bytes }];
        response.end(writePollWithContents({ records: new Uint8Array(), contents }));
      };
    const askedAgain: Answer = (_, response) => {
      response.writeHead(200, { "Content-Length": small.length });
      response.end(small);
    };

    test.each<{ description: string; answer: Answer; requests: number }>([
      { description: "are there at once", answer: along(small), requests: 1 },
      {
        description: "are asked for by themselves where they have another hash",
        answer: along(Buffer.from("wrong")),
        requests: 2,
      },
      {
        description: "are asked for by themselves where an older server sends the log alone",
        answer: (_, response) => {
          response.writeHead(200, { "Content-Type": MEDIA_TYPES.kml, [HEADERS.head]: HEAD }).end();
        },
        requests: 2,
      },
    ])("$description", async ({ answer, requests }) => {
      await using server = await serveScript(answer, askedAgain);
      await using remote = remoteOf(server.url);
      await remote.poll(POSITION, { contentsUpTo: 4096 });
      expect(server.requests[0]!.headers[HEADERS.contents.toLowerCase()]).toBe("4096");
      const whole = await remote.fetchContent(sha256);
      expect(whole.sizeBytes).toBe(5);
      expect(await readAll(whole.bytes)).toEqual(small);
      expect(server.requests).toHaveLength(requests);
    });

    test("are not believed past caches, and give a part of themselves", async () => {
      await using server = await serveScript(along(small), askedAgain);
      await using remote = remoteOf(server.url);
      await remote.poll(POSITION, { contentsUpTo: 4096 });
      const part = await remote.fetchContent(sha256, { offsetBytes: 1, endBytes: 3 });
      expect(String(await readAll(part.bytes))).toBe("ma");
      await readAll((await remote.fetchContent(sha256, { bypassCaches: true })).bytes);
      expect(server.requests).toHaveLength(2);
    });
  });

  test("refuses a server of another protocol version and names both", async () => {
    await using server = await serveScript((_, response) => {
      response.setHeader(HEADERS.protocol, "7");
      response.end("{}");
    });
    await using remote = remoteOf(server.url);
    await expect(remote.profile()).rejects.toMatchObject({
      code: "protocol-version",
      data: { client: "1", server: "7" },
    });
  });

  test.each<{ description: string; answer: Answer; name: string; says: string }>([
    {
      description: "a page of some other server",
      answer: (_, response) => {
        response.removeHeader(HEADERS.protocol);
        response.end("<html>");
      },
      name: "RemoteProtocolError",
      says: "this is no izo server",
    },
    {
      description: "a redirect",
      answer: (_, response) => response.writeHead(302, { Location: "/" }).end(),
      name: "RemoteProtocolError",
      says: `it leads to "/"`,
    },
    {
      description: "a proxy with nobody behind it",
      answer: (_, response) => response.writeHead(502).end("<html>Bad Gateway</html>"),
      name: "RemoteUnreachableError",
      says: "status 502",
    },
    {
      description: "an error that is no problem of the protocol",
      answer: (_, response) => response.writeHead(404).end("not found"),
      name: "RemoteProtocolError",
      says: "status 404",
    },
    {
      description: "a profile that is none",
      answer: (_, response) => response.end('{"protocol":1}'),
      name: "RemoteProtocolError",
      says: "Cannot read the profile",
    },
    {
      description: "an answer without an end",
      answer: (_, response) => {
        const pour = (): void =>
          void (response.write(Buffer.alloc(1 << 20))
            ? setImmediate(pour)
            : response.once("drain", pour));
        pour();
      },
      name: "RemoteProtocolError",
      says: "is longer than",
    },
    {
      description: "no answer in time",
      answer: () => {},
      name: "RemoteUnreachableError",
      says: "no answer in time",
    },
    {
      description: "an answer that stalls",
      answer: (_, response) => response.writeHead(200, { "Content-Length": 100 }).write("{"),
      name: "RemoteUnreachableError",
      says: "stalled",
    },
    {
      description: "a cut connection",
      answer: (request) => request.socket.destroy(),
      name: "RemoteUnreachableError",
      says: "the connection was cut",
    },
  ])("says of $description: $says", async ({ answer, name, says }) => {
    await using server = await serveScript(answer);
    await using remote = remoteOf(server.url);
    await expect(remote.profile()).rejects.toMatchObject({
      name,
      message: expect.stringContaining(says) as string,
    });
  });

  test("follows nobody who leads elsewhere, and says where", async () => {
    await using other = await serveScript((_, response) => void response.end("{}"));
    await using server = await serveScript((_, response) => {
      response.writeHead(307, { Location: other.url }).end();
    });
    await using remote = new HttpRemote(server.url);
    await expect(remote.profile()).rejects.toMatchObject({
      code: "protocol-error",
      message: expect.stringContaining(other.url) as string,
    });
    expect(other.requests).toHaveLength(0);
  });

  test("says that nobody listens", async () => {
    const server = await serveScript(() => {});
    await server[Symbol.asyncDispose]();
    await using remote = remoteOf(server.url);
    await expect(remote.profile()).rejects.toMatchObject({
      name: "RemoteUnreachableError",
      message: expect.stringContaining("nobody listens there") as string,
    });
  });

  test("repeats a request once whose connection breaks before an answer", async () => {
    await using server = await serveScript(
      (request) => request.socket.destroy(),
      answerProblem(new ProblemError("not-ready", "Cannot answer yet")),
    );
    await using remote = remoteOf(server.url);
    await expect(remote.profile()).rejects.toMatchObject({ code: "not-ready" });
    expect(server.requests).toHaveLength(2);
  });

  test("ends with the reason of its signal", async () => {
    await using server = await serveScript(() => {});
    await using remote = remoteOf(server.url);
    const abort = new AbortController();
    const reason = new Error("unmounting");
    const poll = remote.poll(POSITION, { waitSeconds: 50 }, abort.signal);
    setTimeout(() => abort.abort(reason), 50);
    await expect(poll).rejects.toBe(reason);
  });

  test("lets other requests pass while a poll waits", async () => {
    await using server = await serveScript(
      () => {},
      answerProblem(new ProblemError("not-ready", "Cannot answer yet")),
    );
    await using remote = remoteOf(server.url);
    const abort = new AbortController();
    const poll = remote.poll(POSITION, { waitSeconds: 50 }, abort.signal);
    await expect.poll(() => server.requests.length).toBe(1);
    await expect(remote.profile()).rejects.toMatchObject({ code: "not-ready" });
    abort.abort(new Error("enough"));
    await expect(poll).rejects.toThrow("enough");
  });
});

describe("HttpRemote.poll()", () => {
  test.each<{ description: string; answer: Answer }>([
    { description: "without a head", answer: (_, response) => response.end() },
    {
      description: "whose head lies before the position asked about",
      answer: (_, response) => response.setHeader(HEADERS.head, `2/${"ab".repeat(32)}`).end(),
    },
    {
      description: "whose head contradicts the position asked about",
      answer: (_, response) => response.setHeader(HEADERS.head, `3/${"cd".repeat(32)}`).end(),
    },
    {
      description: "of bytes that are no records",
      answer: (_, response) => response.setHeader(HEADERS.head, HEAD).end(Buffer.alloc(200)),
    },
  ])("refuses an answer $description", async ({ answer }) => {
    await using server = await serveScript(answer);
    await using remote = remoteOf(server.url);
    await expect(remote.poll(POSITION)).rejects.toMatchObject({ name: "RemoteProtocolError" });
  });
});

describe("HttpRemote.fetchContent()", () => {
  test("gives a content that was cut off twice whole", async () => {
    await using server = await serveScript(
      sendContent(100_000),
      sendContent(50_000),
      sendContent(),
    );
    await using remote = remoteOf(server.url);
    const { sizeBytes, bytes } = await remote.fetchContent(SHA256);
    expect(sizeBytes).toBe(content.length);
    expect(hash("sha256", await readAll(bytes))).toBe(SHA256);
    expect(server.requests).toHaveLength(3);
  });

  test("starts at an offset, also where the server ignores ranges", async () => {
    await using server = await serveScript(sendContent(), (_, response) => response.end(content));
    await using remote = remoteOf(server.url);
    for (let round = 0; round < 2; round += 1) {
      const { sizeBytes, bytes } = await remote.fetchContent(SHA256, { offsetBytes: 299_000 });
      expect(sizeBytes).toBe(content.length);
      expect(await readAll(bytes)).toEqual(content.subarray(299_000));
    }
  });

  test("gives up when no byte comes any more", async () => {
    await using server = await serveScript(sendContent(10), sendContent(0));
    await using remote = remoteOf(server.url);
    const { bytes } = await remote.fetchContent(SHA256);
    await expect(readAll(bytes)).rejects.toMatchObject({ name: "RemoteUnreachableError" });
    expect(server.requests.length).toBeLessThan(12);
  });

  test("refuses a rest of another size", async () => {
    await using server = await serveScript(sendContent(10), (_, response) => {
      response.writeHead(206, { "Content-Range": "bytes 10-19/20" }).end(Buffer.alloc(10));
    });
    await using remote = remoteOf(server.url);
    const { bytes } = await remote.fetchContent(SHA256);
    await expect(readAll(bytes)).rejects.toMatchObject({ name: "RemoteProtocolError" });
  });

  test("refuses another part than it asked for", async () => {
    await using server = await serveScript((_, response) => {
      response.writeHead(206, { "Content-Range": "bytes 0-9/20" }).end(Buffer.alloc(10));
    });
    await using remote = remoteOf(server.url);
    await expect(remote.fetchContent(SHA256, { offsetBytes: 5 })).rejects.toMatchObject({
      name: "RemoteProtocolError",
    });
  });

  test("takes what says that it is compressed as it is: nothing small becomes large", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    await using server = await serveScript((_, response) => {
      const headers = { "Content-Encoding": "gzip", "Content-Length": bomb.length };
      response.writeHead(200, headers).end(bomb);
    });
    await using remote = remoteOf(server.url);
    const { sizeBytes, bytes } = await remote.fetchContent(SHA256);
    expect(sizeBytes).toBe(bomb.length);
    expect(await readAll(bytes)).toEqual(bomb);
  });

  test("does not let what a program waits for wait for what is fetched ahead", async () => {
    const held: ServerResponse[] = [];
    const holdBack: Answer = (_, response) => void held.push(response);
    await using server = await serveScript(holdBack, holdBack, holdBack, holdBack, sendContent());
    await using remote = remoteOf(server.url);
    const ahead = Array.from({ length: 6 }, () => remote.fetchContent(SHA256));
    for (const each of ahead) each.catch(() => {});
    await expect.poll(() => held.length).toBe(4);
    const { bytes } = await remote.fetchContent(SHA256, { isAwaited: true });
    expect(hash("sha256", await readAll(bytes))).toBe(SHA256);
    expect(server.requests).toHaveLength(5);
    for (const response of held) response.destroy();
  });

  test("asks past the caches when told to", async () => {
    await using server = await serveScript(sendContent());
    await using remote = remoteOf(server.url);
    await readAll((await remote.fetchContent(SHA256, { bypassCaches: true })).bytes);
    expect(server.requests[0]!.headers["cache-control"]).toBe("no-cache");
  });
});

describe("HttpRemote.fetchPack()", () => {
  test("refuses a content that has another hash", async () => {
    await using server = await serveScript((_, response) => {
      response.write(writePackedContents([{ sha256: SHA256, bytes: Buffer.from("other") }]));
      response.end(writeContentPackEnd(1));
    });
    await using remote = remoteOf(server.url);
    const pack = collect(remote.fetchPack(0 as Recno, 9 as Recno));
    await expect(pack).rejects.toThrow("has another hash");
  });
});

describe("HttpRemote.snapshot()", () => {
  test("refuses a snapshot that ends too early", async () => {
    await using server = await serveScript((_, response) => response.end());
    await using remote = remoteOf(server.url);
    const rows = collect(remote.snapshot(PEER));
    await expect(rows).rejects.toThrow("it is cut off");
  });
});

describe("HttpRemote.upload()", () => {
  test("sends nothing that is there already", async () => {
    await using server = await serveScript(progress(0, true, 200));
    await using remote = remoteOf(server.url);
    await remote.upload(SHA256, content.length, source);
    expect(server.requests.map(({ method }) => method)).toEqual(["HEAD"]);
  });

  test("goes on where a cut connection left it", async () => {
    await using server = await serveScript(
      progress(0, false),
      (request) => request.once("data", () => request.socket.destroy()),
      progress(100, false),
      (request, response) =>
        request.resume().once("end", () => progress(content.length, true, 201)(request, response)),
    );
    await using remote = remoteOf(server.url);
    await remote.upload(SHA256, content.length, source);
    expect(server.requests.map(({ method }) => method)).toEqual(["HEAD", "PUT", "HEAD", "PUT"]);
    expect(server.requests[3]!.headers).toMatchObject({
      "upload-offset": "100",
      "upload-length": String(content.length),
      "content-length": String(content.length - 100),
    });
  });

  test("begins again where what was there before is not of this content, and once only", async () => {
    const wrong = answerProblem(new ProblemError("wrong-hash", "Cannot take the content"));
    const wrongInTheEnd: Answer = (request, response) =>
      request.resume().once("end", () => wrong(request, response));
    await using server = await serveScript(
      progress(100, false),
      wrongInTheEnd,
      progress(0, false),
      wrongInTheEnd,
    );
    await using remote = remoteOf(server.url);
    await expect(remote.upload(SHA256, content.length, source)).rejects.toMatchObject({
      code: "wrong-hash",
    });
    const sent = server.requests.filter(({ method }) => method === "PUT");
    expect(sent.map(({ headers }) => headers["upload-offset"])).toEqual(["100", "0"]);
  });

  test("hands on what reading the source throws", async () => {
    await using server = await serveScript(progress(0, false));
    await using remote = remoteOf(server.url);
    const failure = new Error("EIO");
    const broken = async function* (): AsyncGenerator<Uint8Array, void> {
      yield content.subarray(0, 10);
      throw failure;
    };
    await expect(remote.upload(SHA256, content.length, broken)).rejects.toBe(failure);
  });

  test("gives up on a server that never takes all of it", async () => {
    await using server = await serveScript((request, response) => {
      progress(0, false, request.method === "HEAD" ? 404 : 202)(request, response);
    });
    await using remote = remoteOf(server.url);
    await expect(remote.upload(SHA256, content.length, source)).rejects.toMatchObject({
      name: "RemoteUnreachableError",
    });
  });
});
