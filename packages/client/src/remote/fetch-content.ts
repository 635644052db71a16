import { parseContentRange, writeRange } from "@izo/core";
import { notePassed } from "@izo/sys";

import { RemoteProtocolError } from "../sync/remote-error.ts";
import type { ContentOptions, RemoteContent } from "../sync/remote.ts";
import type { HttpConnection, HttpResponse } from "./http-connection.ts";
import { RetryBudget } from "./retry.ts";

/** Asks for a range of the content at `path`, and again for the rest of it where it is cut off. */
export async function fetchContent(
  connection: HttpConnection,
  path: string,
  { offsetBytes = 0, endBytes, isAwaited = false, bypassCaches = false }: ContentOptions,
  signal: AbortSignal | undefined,
): Promise<RemoteContent> {
  const isPart = (offset: number): boolean => offset > 0 || endBytes !== undefined;
  const ask = async (offset: number): Promise<ContentPart> => {
    const response = await connection.request(isAwaited ? "awaited" : "bulk", {
      path,
      headers: {
        ...(isPart(offset) && { Range: writeRange(offset, endBytes) }),
        ...(bypassCaches && { "Cache-Control": "no-cache" }),
      },
      signal,
    });
    return readPart(response, offset, endBytes);
  };
  const first = await ask(offsetBytes);
  const { sizeBytes } = first;
  const wantedEnd = Math.min(endBytes ?? sizeBytes, sizeBytes);

  async function* bytes(): AsyncGenerator<Uint8Array, void> {
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
          const wanted = chunk.subarray(0, wantedEnd - offset);
          offset += wanted.length;
          budget.progress();
          notePassed(chunk.length);
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
  readonly bytes: AsyncGenerator<Uint8Array, void>;
}

/** Checks what part of the content an answer holds. A server may ignore a range and send all. */
function readPart(
  response: HttpResponse,
  offset: number,
  endBytes: number | undefined,
): ContentPart {
  const { url, status, body } = response;
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

async function* skip(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array, void> {
  let left = bytes;
  for await (const chunk of chunks) {
    const rest = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
