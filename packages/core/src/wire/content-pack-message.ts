import { ByteReader } from "../kml/byte-reader.ts";
import { ByteWriter } from "../kml/byte-writer.ts";
import type { Recno, Sha256 } from "../kml/identity.ts";
import { readFrames, writeFrame } from "./frame.ts";
import { MAX_INLINE_BYTES } from "./limits.ts";
import { readPayload } from "./read-payload.ts";
import type { InlineContent } from "./reintegrate-batch.ts";
import { WireFormatError } from "./wire-format-error.ts";

const TYPES = { content: 1, end: 2 } as const;
const WHAT = "content pack";
const HASH_BYTES = 32;

/** What a content pack is asked for: the CLOSEs behind `after`, up to `until`. */
export interface ContentPackRequest {
  readonly after: Recno;
  readonly until: Recno;
}

/** The query of a request for a content pack. */
export function writeContentPackRequest({ after, until }: ContentPackRequest): string {
  return new URLSearchParams({ after: String(after), until: String(until) }).toString();
}

/** The bytes of some contents of a pack, one after the other. */
export function writePackedContents(contents: readonly InlineContent[]): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter();
  for (const { sha256, bytes } of contents) {
    writeFrame(w, TYPES.content, () => {
      w.hex(sha256, HASH_BYTES, "sha256");
      w.raw(bytes);
    });
  }
  return w.bytes;
}

/** The bytes that end a pack of `count` contents. */
export function writeContentPackEnd(count: number): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter();
  writeFrame(w, TYPES.end, () => w.u32(count, "count of contents"));
  return w.bytes;
}

/**
 * Reads a content pack as it arrives. Hashes are the caller's to check.
 *
 * @throws WireFormatError when it is malformed, or ends before its end
 */
export async function* parseContentPackResponse(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<InlineContent, void> {
  let count = 0;
  let isEnded = false;
  for await (const frames of readFrames(WHAT, chunks, HASH_BYTES + MAX_INLINE_BYTES)) {
    for (const { type, payload } of frames) {
      if (isEnded) throw new WireFormatError(WHAT, "frames follow its end");
      if (type === TYPES.content) {
        if (payload.length < HASH_BYTES) throw new WireFormatError(WHAT, "a content has no hash");
        const reader = new ByteReader(payload, 0, HASH_BYTES);
        yield { sha256: reader.hash() as Sha256, bytes: payload.subarray(HASH_BYTES) };
        count += 1;
      } else if (type === TYPES.end) {
        if (readPayload(WHAT, payload, (r) => r.u32()) !== count) {
          throw new WireFormatError(WHAT, `it has ${count} contents, not as many as it says`);
        }
        isEnded = true;
      } else {
        throw new WireFormatError(WHAT, `frames of type ${type} are not known`);
      }
    }
  }
  if (!isEnded) throw new WireFormatError(WHAT, "it is cut off");
}
