import {
  MAX_INLINE_BYTES,
  MEDIA_TYPES,
  parseRange,
  type Sha256,
  writeContentRange,
} from "@izo/core";

import { ContentChangedError } from "../export/errors.ts";
import type { OpenContent } from "../export/export.ts";
import type { AppContext } from "./app-environment.ts";
import { streamBody } from "./stream-body.ts";

/** Answers with an open content or the part of it that the request asks for, and closes it. */
export async function sendContent(
  c: AppContext,
  sha256: Sha256,
  content: OpenContent,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const { sizeBytes } = content;
  const etag = `"${sha256}"`;
  await using open = new AsyncDisposableStack();
  open.use(content);
  const ifRange = c.req.header("If-Range");
  const isStillValid = ifRange === undefined || ifRange === etag;
  const range = isStillValid ? parseRange(c.req.header("Range"), sizeBytes) : null;
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  const allHeaders = {
    "Content-Type": MEDIA_TYPES.bytes,
    ...headers,
    ETag: etag,
    "Accept-Ranges": "bytes",
    "Content-Length": String(end - start),
    ...(range !== null && { "Content-Range": writeContentRange(range, sizeBytes) }),
  };
  const status = range === null ? 200 : 206;
  if (c.req.method === "HEAD" || start === end) return c.body(null, status, allHeaders);
  // One piece, one write: a stream of it would reach the network as two, each after some turns.
  const whole = end - start <= MAX_INLINE_BYTES ? await readWhole(content.read(start, end)) : null;
  if (whole !== null) {
    c.var.metrics.bytesServed(whole.length);
    return c.body(whole as Uint8Array<ArrayBuffer>, status, allHeaders);
  }
  const held = open.move();
  async function* body(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* content.read(start, end);
    } finally {
      await held.disposeAsync();
    }
  }
  return c.body(streamBody(c, body()), status, allHeaders);
}

/** Null where the file was changed meanwhile: the stream says so in its way. */
async function readWhole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array | null> {
  const read: Uint8Array[] = [];
  try {
    for await (const piece of pieces) read.push(piece);
  } catch (error) {
    if (error instanceof ContentChangedError) return null;
    throw error;
  }
  return read.length === 1 ? read[0]! : Buffer.concat(read);
}
