import { Readable } from "node:stream";

import { MEDIA_TYPES, parseUploadProgress, type UploadProgress, writeUploadRange } from "@izo/core";

import {
  isWrongHash,
  RemoteProblemError,
  RemoteProtocolError,
  RemoteUnreachableError,
} from "../sync/remote-error.ts";
import type { HttpConnection, HttpResponse } from "./http-connection.ts";
import { RetryBudget } from "./retry.ts";

export type ContentSource = (offsetBytes: number) => AsyncIterable<Uint8Array>;

/**
 * Brings a content to `path`: asks what is there, sends the rest, and asks again where that was cut.
 * Returns when the server says that it has all of it, with the right hash.
 */
export async function uploadContent(
  connection: HttpConnection,
  path: string,
  content: { readonly sizeBytes: number; readonly source: ContentSource },
  signal: AbortSignal | undefined,
): Promise<void> {
  const budget = new RetryBudget();
  let reached = 0;
  let hasStartedOver = false;
  for (;;) {
    try {
      const before = await askProgress(connection, path, signal);
      if (before.isComplete) return;
      if (before.offsetBytes > reached) budget.progress();
      reached = before.offsetBytes;
      const after = await sendRest(connection, path, content, reached, signal);
      if (after.isComplete) return;
      throw new RemoteUnreachableError(path, `it took ${after.offsetBytes} bytes only`);
    } catch (error) {
      // What was there before was not of this content, or was lost with the server's power: it is dropped by now.
      if (isWrongHash(error) && reached > 0 && !hasStartedOver) {
        hasStartedOver = true;
        continue;
      }
      // Somebody else uploads the same content: what is there now is asked once more.
      const isOvertaken = error instanceof RemoteProblemError && error.code === "upload-offset";
      await budget.pause(
        isOvertaken ? new RemoteUnreachableError(path, error.message, { cause: error }) : error,
        signal,
      );
    }
  }
}

async function askProgress(
  connection: HttpConnection,
  path: string,
  signal: AbortSignal | undefined,
): Promise<UploadProgress> {
  const response = await connection.request("control", {
    method: "HEAD",
    path,
    accepted: [404],
    signal,
  });
  return readProgress(response);
}

async function sendRest(
  connection: HttpConnection,
  path: string,
  content: { readonly sizeBytes: number; readonly source: ContentSource },
  offsetBytes: number,
  signal: AbortSignal | undefined,
): Promise<UploadProgress> {
  const { sizeBytes, source } = content;
  const local = new LocalSource(source(offsetBytes));
  try {
    const response = await connection.request("bulk", {
      method: "PUT",
      path,
      headers: {
        ...writeUploadRange({ offsetBytes, totalBytes: sizeBytes }),
        "Content-Type": MEDIA_TYPES.bytes,
        "Content-Length": String(sizeBytes - offsetBytes),
      },
      body: Readable.from(local.bytes()),
      signal,
    });
    return await readProgress(response);
  } catch (error) {
    local.throwIfFailed();
    throw error;
  }
}

async function readProgress(response: HttpResponse): Promise<UploadProgress> {
  await response.body.return();
  const progress = parseUploadProgress((name) => response.header(name));
  if (progress === null) {
    throw new RemoteProtocolError(response.url, "it does not say how much is uploaded");
  }
  return progress;
}

/** Remembers that reading failed here: the request fails with it, and it is not the network's fault. */
class LocalSource {
  readonly #chunks: AsyncIterable<Uint8Array>;
  #failure: { readonly error: unknown } | null = null;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks;
  }

  async *bytes(): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const chunk of this.#chunks) yield chunk;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
