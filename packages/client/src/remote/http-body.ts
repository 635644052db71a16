import { RemoteProtocolError } from "../sync/remote-error.ts";
import { asRemoteError } from "./transport-error.ts";

/** The pieces of a body; what goes wrong on the way is an error of the remote. */
export async function* readBody(
  chunks: AsyncIterable<Uint8Array>,
  url: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of chunks) yield chunk;
  } catch (error) {
    throw asRemoteError(error, url, signal);
  }
}

/** All of a body. @throws RemoteProtocolError when it is longer than `maxBytes` */
export async function readWhole(
  { body, url }: { readonly body: AsyncIterable<Uint8Array>; readonly url: string },
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new RemoteProtocolError(url, `it is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
}

/** At least the first `bytes` of a body, or all of it where it is shorter; the rest is dropped. */
export async function readPrefix(
  body: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(chunks, length);
}
