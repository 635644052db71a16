import { MEDIA_TYPES, type SnapshotRow, writeJsonLine, writeSnapshotResponse } from "@izo/core";
import { accepts } from "hono/accepts";
import { createFactory } from "hono/factory";

import { claimPeer } from "../auth/claim-peer.ts";
import type { Snapshot } from "../export/history/snapshot.ts";
import type { AppEnvironment } from "./app-environment.ts";
import { snapshotQuery } from "./parameters.ts";
import { streamBody } from "./stream-body.ts";
import { validate } from "./validate.ts";

/** Lines of NDJSON are gathered into chunks of this many. */
const LINES_PER_CHUNK = 256;

/** The tree at a stated position, from which polling goes on. */
export const getSnapshot = createFactory<AppEnvironment>().createHandlers(
  validate("query", snapshotQuery),
  (c) => {
    const { fileset } = c.var;
    const type = accepts(c, {
      header: "Accept",
      supports: [MEDIA_TYPES.snapshot, MEDIA_TYPES.ndjson],
      default: MEDIA_TYPES.snapshot,
    });
    const { peer } = c.req.valid("query");
    if (peer !== undefined) claimPeer(c, peer);
    const chunks = type === MEDIA_TYPES.ndjson ? writeLines : writeSnapshotResponse;
    async function* body(): AsyncGenerator<Uint8Array, void> {
      using snapshot = fileset.snapshot(peer);
      yield* chunks(wholeSnapshot(snapshot));
    }
    return c.body(streamBody(c, body()), 200, {
      "Content-Type": type,
      "Cache-Control": "no-store",
      Vary: "Accept",
    });
  },
);

/** The rows of a snapshot, from its start to its end. */
export function* wholeSnapshot(snapshot: Snapshot): Generator<SnapshotRow, void> {
  const { position, oldestRecno, received } = snapshot;
  let rows = 1;
  yield { kind: "start", position, oldestRecno, received };
  for (const row of snapshot.rows()) {
    yield row;
    rows += 1;
  }
  yield { kind: "end", rows };
}

/** The same as NDJSON. */
export function* writeLines(rows: Iterable<SnapshotRow>): Generator<Uint8Array, void> {
  const encoder = new TextEncoder();
  let lines: string[] = [];
  for (const row of rows) {
    lines.push(writeJsonLine(row));
    if (lines.length < LINES_PER_CHUNK && row.kind !== "end") continue;
    yield encoder.encode(lines.join(""));
    lines = [];
  }
}
