/**
 * An answer to a poll that brings the small contents which its records name, for a client that has asked
 * for them: what was just written is read a request sooner. Layout in `docs/protocol.md`.
 */

import { ByteReader } from "../kml/byte-reader.ts";
import { ByteWriter } from "../kml/byte-writer.ts";
import type { Sha256 } from "../kml/identity.ts";
import { writeContentPackEnd, writePackedContents } from "./content-pack-message.ts";
import { splitFrames, writeFrame } from "./frame.ts";
import { MAX_INLINE_BYTES } from "./limits.ts";
import { readPayload } from "./read-payload.ts";
import type { InlineContent } from "./reintegrate-batch.ts";
import { WireFormatError } from "./wire-format-error.ts";

/** Contents and end are those of a content pack. */
const TYPES = { content: 1, end: 2, records: 3 } as const;
const WHAT = "answer to a poll with contents";
const HASH_BYTES = 32;

/** Records as they stand in the log, and contents that they name. */
export interface PollWithContents {
  readonly records: Uint8Array;
  /** Some, or none: what is not here is asked for by itself. Hashes are the caller's to check. */
  readonly contents: readonly InlineContent[];
}

/** The body of such an answer. */
export function writePollWithContents({
  records,
  contents,
}: PollWithContents): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter();
  writeFrame(w, TYPES.records, () => w.raw(records));
  w.raw(writePackedContents(contents));
  w.raw(writeContentPackEnd(contents.length));
  return w.bytes;
}

/** Takes it apart. @throws WireFormatError when it is malformed, or ends before its end */
export function parsePollWithContents(body: Uint8Array): PollWithContents {
  const [first, ...rest] = splitFrames(WHAT, body);
  if (first?.type !== TYPES.records) throw new WireFormatError(WHAT, "it has no records");
  const end = rest.pop();
  if (end?.type !== TYPES.end) throw new WireFormatError(WHAT, "it is cut off");
  const contents = rest.map(({ type, payload }): InlineContent => {
    if (type !== TYPES.content) {
      throw new WireFormatError(WHAT, `frames of type ${type} are not known here`);
    }
    if (payload.length < HASH_BYTES) throw new WireFormatError(WHAT, "a content has no hash");
    const reader = new ByteReader(payload, 0, HASH_BYTES);
    return { sha256: reader.hash() as Sha256, bytes: payload.subarray(HASH_BYTES) };
  });
  if (readPayload(WHAT, end.payload, (r) => r.u32()) !== contents.length) {
    throw new WireFormatError(WHAT, `it has ${contents.length} contents, not as many as it says`);
  }
  return { records: first.payload, contents };
}

/** The value of the header `Izo-Contents`: contents up to so many bytes are welcome. */
export function writeContentsHeader(maxBytes: number): string {
  return String(maxBytes);
}

/** Reads it, as far as a server goes; 0 where it is missing or malformed: nothing depends on it. */
export function parseContentsHeader(value: string | null): number {
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(Number(value), MAX_INLINE_BYTES) : 0;
}
