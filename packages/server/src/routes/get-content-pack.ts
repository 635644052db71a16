import {
  EMPTY_SHA256,
  type InlineContent,
  MAX_INLINE_BYTES,
  MEDIA_TYPES,
  ProblemError,
  type Recno,
  type Sha256,
  writeContentPackEnd,
  writePackedContents,
} from "@izo/core";
import { createFactory } from "hono/factory";

import { ContentChangedError } from "../export/errors.ts";
import type { ContentRange, Export, OpenContent, SmallContentReader } from "../export/export.ts";
import type { AppEnvironment } from "./app-environment.ts";
import { IMMUTABLE } from "./immutable.ts";
import { contentPackQuery } from "./parameters.ts";
import { streamBody } from "./stream-body.ts";
import { validate } from "./validate.ts";

/**
 * Read at the same time, and sent as one piece: a read of the disk waits for a thread, and a write to the
 * network costs more than what is in it. At most 1 MiB.
 */
const CONTENTS_AT_ONCE = 16;

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
    const range = { after, until, maxBytes: MAX_INLINE_BYTES };
    const hashes = smallContents(fileset, after, until);
    return c.body(streamBody(c, writePack(fileset, range, hashes)), 200, {
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

/** @param hashes of all that is in the range: those that were sent are taken out of it */
async function* writePack(
  fileset: Export,
  range: ContentRange,
  hashes: Set<Sha256>,
): AsyncGenerator<Uint8Array, void> {
  using small = fileset.smallContents();
  let count = 0;
  for await (const some of small.between(range)) {
    const found = some.filter(({ sha256 }) => hashes.delete(sha256));
    if (found.length > 0) yield writePackedContents(found);
    count += found.length;
  }
  for (const some of inGroups(hashes, CONTENTS_AT_ONCE)) {
    const contents = await Promise.all(some.map((sha256) => readSmall(fileset, small, sha256)));
    const found = contents.filter((content) => content !== null);
    if (found.length > 0) yield writePackedContents(found);
    count += found.length;
  }
  yield writeContentPackEnd(count);
}

/** Null where it is not here any more, or its file was changed while it was read. */
async function readSmall(
  fileset: Export,
  small: SmallContentReader,
  sha256: Sha256,
): Promise<InlineContent | null> {
  const inTree = await small.read(sha256);
  if (inTree !== null) return { sha256, bytes: inTree };
  const found = await fileset.openContent(sha256);
  if (found?.kind !== "open") return null;
  const bytes = await readWhole(found);
  return bytes === null ? null : { sha256, bytes };
}

function* inGroups<T>(all: Iterable<T>, size: number): Generator<T[], void> {
  let group: T[] = [];
  for (const each of all) {
    group.push(each);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** All bytes of a content, or null where its file was changed while it was read. */
async function readWhole(content: OpenContent): Promise<Uint8Array | null> {
  await using open = content;
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of open.read()) pieces.push(piece);
  } catch (error) {
    if (error instanceof ContentChangedError) return null;
    throw error;
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
