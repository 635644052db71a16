import { parseContentRange, writeRange } from "@izo/core";
import { notePassed } from "@izo/sys";

import { Landed } from "../sync/push/landed.ts";
import { RemoteProtocolError } from "../sync/remote-error.ts";
import type { ContentOptions, RemoteContent } from "../sync/remote.ts";
import type { HttpConnection, HttpRequest, HttpResponse } from "./http-connection.ts";
import type { LandingThread, LandingThreads } from "./landing/landing-threads.ts";
import type { PlainResponse } from "./landing/plain-get.ts";
import { RetryBudget } from "./retry.ts";

/** A file that gets what it can without the event loop. */
export interface LandingFile {
  readonly fd: number;
  readonly threads: LandingThreads;
}

/**
 * Asks for a range of the content at `path`, and again for the rest of it where it is cut off.
 *
 * @param file takes bytes at the place that they have in the content, and only such: those are yielded as {@link Landed}
 */
export function fetchContent(
  connection: HttpConnection,
  path: string,
  options: ContentOptions,
  signal: AbortSignal | undefined,
): Promise<RemoteContent>;
export function fetchContent(
  connection: HttpConnection,
  path: string,
  options: ContentOptions,
  signal: AbortSignal | undefined,
  file: LandingFile | undefined,
): Promise<RemoteContent<Uint8Array | Landed>>;
export async function fetchContent(
  connection: HttpConnection,
  path: string,
  { offsetBytes = 0, endBytes, isAwaited = false, bypassCaches = false }: ContentOptions,
  signal: AbortSignal | undefined,
  file?: LandingFile,
): Promise<RemoteContent<Uint8Array | Landed>> {
  const isPart = (offset: number): boolean => offset > 0 || endBytes !== undefined;
  const ask = async (offset: number): Promise<ContentPart> => {
    const request = {
      path,
      headers: {
        ...(isPart(offset) && { Range: writeRange(offset, endBytes) }),
        ...(bypassCaches && { "Cache-Control": "no-cache" }),
      },
      signal,
    };
    const landing = file && (await askForLanding(connection, request, file, offset, endBytes));
    if (landing !== undefined) return landing;
    const response = await connection.request(isAwaited ? "awaited" : "bulk", request);
    return readPart(response, offset, endBytes, response.body);
  };
  const first = await ask(offsetBytes);
  const { sizeBytes } = first;
  const wantedEnd = Math.min(endBytes ?? sizeBytes, sizeBytes);

  async function* bytes(): AsyncGenerator<Uint8Array | Landed, void> {
    const budget = new RetryBudget();
    let offset = offsetBytes;
    let part: ContentPart | null = first;
    while (offset < wantedEnd) {
      try {
        part ??= await ask(offset);
        if (part.sizeBytes !== sizeBytes) {
          throw new RemoteProtocolError(part.url, `the content had ${sizeBytes} bytes before`);
        }
        for await (const chunk of part.bytes) {
          const wanted = chunk instanceof Landed ? chunk : chunk.subarray(0, wantedEnd - offset);
          offset += wanted.length;
          budget.progress();
          if (!(chunk instanceof Landed)) notePassed(chunk.length);
          if (wanted.length > 0) yield wanted;
          // A server that ignores ranges goes on to the end. Else the end is read, for the connection is
          // used again then.
          if (offset === wantedEnd && part.endBytes > wantedEnd) break;
        }
        if (offset < wantedEnd) throw new RemoteProtocolError(part.url, "it ends early");
      } catch (error) {
        await budget.pause(error, signal);
        part = null;
      }
    }
    await part?.bytes.return();
  }

  return { sizeBytes, bytes: bytes() };
}

interface ContentPart {
  readonly url: string;
  readonly sizeBytes: number;
  /** Where it ends, exclusive. */
  readonly endBytes: number;
  /** From the asked offset on. */
  readonly bytes: AsyncGenerator<Uint8Array | Landed, void>;
}

/** Undefined where it has to be asked for in the ordinary way. */
async function askForLanding(
  connection: HttpConnection,
  request: HttpRequest,
  { fd, threads }: LandingFile,
  offset: number,
  endBytes: number | undefined,
): Promise<ContentPart | undefined> {
  if (!threads.hasFree) return undefined;
  const response = await connection.requestPlain(request);
  if (response === undefined) return undefined;
  using unused = new DisposableStack();
  unused.use(response);
  const part = readPart(response, offset, endBytes, land(response, offset));
  // A body that holds more than was asked for cannot be written as it comes.
  const isAsAsked = response.status === 206 || (offset === 0 && endBytes === undefined);
  if (!isAsAsked) return undefined;
  unused.move();
  return part;

  async function* land(plain: PlainResponse, startBytes: number): ContentPart["bytes"] {
    using taken = new DisposableStack();
    const take = (): LandingThread | undefined => {
      const thread = threads.take();
      return thread && taken.use(thread);
    };
    yield* plain.land(take, { fd, startBytes, endBytes: part.endBytes });
  }
}

/** Checks what part of the content an answer holds. A server may ignore a range and send all. */
function readPart(
  response: Pick<HttpResponse, "url" | "status" | "header">,
  offset: number,
  endBytes: number | undefined,
  body: ContentPart["bytes"],
): ContentPart {
  const { url, status } = response;
  if (status === 206) {
    const range = parseContentRange(response.header("Content-Range"));
    const end = Math.min(endBytes ?? Infinity, range?.sizeBytes ?? 0);
    if (range === null || range.start !== offset || range.end !== end) {
      throw new RemoteProtocolError(url, "it holds another part than was asked for");
    }
    return { url, sizeBytes: range.sizeBytes, endBytes: range.end, bytes: body };
  }
  const length = response.header("Content-Length") ?? "";
  if (!/^\d{1,15}$/.test(length)) throw new RemoteProtocolError(url, "it does not say its length");
  const sizeBytes = Number(length);
  return { url, sizeBytes, endBytes: sizeBytes, bytes: skip(body, offset) };
}

async function* skip(chunks: ContentPart["bytes"], bytes: number): ContentPart["bytes"] {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left === 0 || chunk instanceof Landed) {
      yield chunk;
      continue;
    }
    const rest = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
