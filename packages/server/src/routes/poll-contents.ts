import {
  type CloseOperation,
  EMPTY_SHA256,
  type InlineContent,
  MAX_POLL_CONTENT_BYTES,
  type Oid,
  type PeerId,
  type Sha256,
  writePollWithContents,
} from "@izo/core";

import type { Export, LogChunk } from "../export/export.ts";

/** Of more records the contents come in packs: who is so far behind waits for no single file. */
const MOST_RECORDS = 64;

/** By chunk and largest content: all who wait for a record are answered with the same bytes. */
const answers = new WeakMap<LogChunk, Map<number, Uint8Array | null>>();

/**
 * The records with the small contents that they name; null where there are none to send. The author of
 * all of them has what they name.
 *
 * @param maxBytes of one content, as the client wants
 */
export function pollWithContents(
  fileset: Export,
  chunk: LogChunk,
  maxBytes: number,
  asking: PeerId | null,
): Uint8Array | null {
  if (maxBytes === 0 || chunk.count === 0 || chunk.count > MOST_RECORDS) return null;
  if (asking !== null && isAllOf(chunk, asking)) return null;
  let known = answers.get(chunk);
  if (known === undefined) answers.set(chunk, (known = new Map()));
  let answer = known.get(maxBytes);
  if (answer === undefined) {
    const contents = readContents(fileset, chunk, maxBytes);
    answer =
      contents.length === 0 ? null : writePollWithContents({ records: chunk.bytes, contents });
    known.set(maxBytes, answer);
  }
  return answer;
}

/** Tells whether one peer made all of the records. */
export function isAllOf(chunk: LogChunk, peer: PeerId): boolean {
  for (const { origin } of chunk.records()) if (origin.peer !== peer) return false;
  return true;
}

function readContents(fileset: Export, chunk: LogChunk, maxBytes: number): InlineContent[] {
  // Of a file that was written several times only the last content is wanted.
  const last = new Map<Oid, CloseOperation>();
  for (const { operation } of chunk.records()) {
    if (operation.opcode === "CLOSE") last.set(operation.oid, operation);
  }
  const contents = new Map<Sha256, Uint8Array>();
  let sumBytes = 0;
  for (const { sha256, sizeBytes } of last.values()) {
    if (sha256 === null || sha256 === EMPTY_SHA256 || sizeBytes > maxBytes) continue;
    if (contents.has(sha256)) continue;
    sumBytes += sizeBytes;
    if (sumBytes > MAX_POLL_CONTENT_BYTES) break;
    const bytes = fileset.readSmall(sha256);
    if (bytes !== null) contents.set(sha256, bytes);
  }
  return Array.from(contents, ([sha256, bytes]) => ({ sha256, bytes }));
}
