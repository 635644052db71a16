import {
  EMPTY_SHA256,
  MAX_INLINE_BYTES,
  MEDIA_TYPES,
  ProblemError,
  type Recno,
  type Sha256,
  writeContentPackEnd,
  writePackedContent,
} from "@izo/core";
import { createFactory } from "hono/factory";

import { ContentChangedError } from "../export/errors.ts";
import type { Export, OpenContent } from "../export/export.ts";
import type { AppEnvironment } from "./app-environment.ts";
import { IMMUTABLE } from "./immutable.ts";
import { contentPackQuery } from "./parameters.ts";
import { streamBody } from "./stream-body.ts";
import { validate } from "./validate.ts";

/**
 * The small contents that a range of the log names, in one body. One that was replaced meanwhile is left
 * out: who misses it asks for it by its hash and learns what replaced it.
 */
export const getContentPack = createFactory<AppEnvironment>().createHandlers(
  validate("query", contentPackQuery),
  (c) => {
    const { fileset } = c.var;
    const { after, until } = c.req.valid("query");
    const head = fileset.headPosition.recno;
    if (until > head) {
      throw new ProblemError(
        "invalid-request",
        `Cannot pack contents up to record ${until}: the log ends at ${head}`,
        { until, head },
      );
    }
    const hashes = smallContents(fileset, after, until);
    return c.body(streamBody(c, writePack(fileset, hashes)), 200, {
      ...IMMUTABLE,
      "Content-Type": MEDIA_TYPES.contentPack,
    });
  },
);

/** Hashes of the contents up to 64 KiB that CLOSEs in this range of the log name. */
function smallContents(fileset: Export, after: Recno, until: Recno): Set<Sha256> {
  // Of the part that was cut off the log the index knows what is left: what clients still want.
  const kept = Math.min(until, Math.max(after, fileset.oldestRecno - 1)) as Recno;
  const hashes = new Set(
    kept > after ? fileset.presentContents(after, kept, MAX_INLINE_BYTES) : [],
  );
  if (kept === until) return hashes;
  let position = fileset.positionAt(kept);
  while (position.recno < until) {
    const chunk = fileset.readLog(position, { limitRecords: until - position.recno });
    for (const { operation } of chunk.records()) {
      if (operation.opcode !== "CLOSE" || operation.sha256 === null) continue;
      if (operation.sizeBytes <= MAX_INLINE_BYTES) hashes.add(operation.sha256);
    }
    position = chunk.last;
  }
  hashes.delete(EMPTY_SHA256);
  return hashes;
}

async function* writePack(
  fileset: Export,
  hashes: Iterable<Sha256>,
): AsyncGenerator<Uint8Array, void> {
  let count = 0;
  for (const sha256 of hashes) {
    const found = await fileset.openContent(sha256);
    if (found?.kind !== "open") continue;
    const bytes = await readWhole(found);
    if (bytes === null) continue;
    yield writePackedContent({ sha256, bytes });
    count += 1;
  }
  yield writeContentPackEnd(count);
}

/** All bytes of a content, or null where its file was changed while it was read. */
async function readWhole(content: OpenContent): Promise<Uint8Array | null> {
  await using open = content;
  const bytes = new Uint8Array(open.sizeBytes);
  let at = 0;
  try {
    for await (const chunk of open.read()) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
  } catch (error) {
    if (error instanceof ContentChangedError) return null;
    throw error;
  }
  return bytes;
}
