import { parseContentRange, writeRange } from "@izo/core";

import { RemoteProtocolError } from "../sync/remote-error.ts";
import type { ContentOptions, RemoteContent } from "../sync/remote.ts";
import type { HttpConnection, HttpResponse } from "./http-connection.ts";
import { RetryBudget } from "./retry.ts";

/** Asks for the content at `path` from an offset on, and again for the rest where it is cut off. */
export async function fetchContent(
  connection: HttpConnection,
  path: string,
  { offsetBytes = 0, bypassCaches = false }: ContentOptions,
  signal: AbortSignal | undefined,
): Promise<RemoteContent> {
  const ask = async (offset: number): Promise<ContentPart> => {
    const response = await connection.request("bulk", {
      path,
      headers: {
        ...(offset > 0 && { Range: writeRange(offset) }),
        ...(bypassCaches && { "Cache-Control": "no-cache" }),
      },
      signal,
    });
    return readPart(response, offset);
  };
  const first = await ask(offsetBytes);
  const { sizeBytes } = first;

  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    const budget = new RetryBudget();
    let offset = offsetBytes;
    let part: ContentPart | null = first;
    while (offset < sizeBytes) {
      try {
        part ??= await ask(offset);
        if (part.sizeBytes !== sizeBytes) {
          throw new RemoteProtocolError(part.url, `the content had ${sizeBytes} bytes before`);
        }
        for await (const chunk of part.bytes) {
          offset += chunk.length;
          budget.progress();
          yield chunk;
        }
        if (offset < sizeBytes) throw new RemoteProtocolError(part.url, "it ends early");
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
  /** From the asked offset on. */
  readonly bytes: AsyncGenerator<Uint8Array, void>;
}

/** Checks what part of the content an answer holds. A server may ignore a range and send all. */
function readPart(response: HttpResponse, offset: number): ContentPart {
  const { url, status, body } = response;
  if (status === 206) {
    const range = parseContentRange(response.header("Content-Range"));
    if (range === null || range.start !== offset || range.end !== range.sizeBytes) {
      throw new RemoteProtocolError(url, "it holds another part than was asked for");
    }
    return { url, sizeBytes: range.sizeBytes, bytes: body };
  }
  const length = response.header("Content-Length") ?? "";
  if (!/^\d{1,15}$/.test(length)) throw new RemoteProtocolError(url, "it does not say its length");
  return { url, sizeBytes: Number(length), bytes: skip(body, offset) };
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
