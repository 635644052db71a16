import { MEDIA_TYPES, parseRange, ProblemError, writeContentRange } from "@izo/core";
import { createFactory } from "hono/factory";

import type { AppContext, AppEnvironment } from "./app-environment.ts";
import { ifUnchanged, IMMUTABLE } from "./immutable.ts";
import { jsonResponse } from "./json-response.ts";
import { segmentParameters } from "./parameters.ts";
import { validate } from "./validate.ts";

export function getSegments(c: AppContext): Response {
  return jsonResponse(c, JSON.stringify({ segments: c.var.fileset.segments() }));
}

/** A sealed segment of the log, as it stands on disk: it never changes again (design D6). */
export const getSegment = createFactory<AppEnvironment>().createHandlers(
  validate("param", segmentParameters),
  (c) => {
    const { fileset, metrics } = c.var;
    const { first } = c.req.valid("param");
    const segment = fileset.openSegment(first);
    if (segment === undefined) {
      throw new ProblemError(
        "unknown-segment",
        `Cannot send the segment ${first}: no sealed segment of the log starts there`,
        { first },
      );
    }
    const etag = `"${fileset.filesetId}-${first}"`;
    if (ifUnchanged(c, etag)) return c.body(null, 304, { ...IMMUTABLE, ETag: etag });
    const { sizeBytes } = segment;
    const range = parseRange(c.req.header("Range"), sizeBytes);
    const { start, end } = range ?? { start: 0, end: sizeBytes };
    metrics.bytesServed(end - start);
    return c.body(segment.read(start, end) as Uint8Array<ArrayBuffer>, range === null ? 200 : 206, {
      ...IMMUTABLE,
      ETag: etag,
      "Content-Type": MEDIA_TYPES.segment,
      "Accept-Ranges": "bytes",
      ...(range !== null && { "Content-Range": writeContentRange(range, sizeBytes) }),
    });
  },
);
