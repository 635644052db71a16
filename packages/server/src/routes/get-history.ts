import {
  type HistoryRequest,
  MEDIA_TYPES,
  writeBlameResponse,
  writeHistoryResponse,
  writeSnapshotResponse,
} from "@izo/core";
import { accepts } from "hono/accepts";
import { createFactory } from "hono/factory";

import type { AppContext, AppEnvironment } from "./app-environment.ts";
import { unknownPath } from "./get-file.ts";
import { wholeSnapshot, writeLines } from "./get-snapshot.ts";
import { jsonResponse } from "./json-response.ts";
import { atQuery, historyQuery, pathHistoryQuery, treeQuery } from "./parameters.ts";
import { pathInUrl } from "./path-in-url.ts";
import { streamBody } from "./stream-body.ts";
import { validate } from "./validate.ts";

const factory = createFactory<AppEnvironment>();

/** The records about one object. */
export const getHistory = factory.createHandlers(validate("query", historyQuery), (c) => {
  const { oid, ...page } = c.req.valid("query");
  return answer(c, { about: { oid }, ...page });
});

/** The records about all that ever had a path. */
export const getPathHistory = factory.createHandlers(validate("query", pathHistoryQuery), (c) =>
  answer(c, { about: { path: pathInUrl(c) }, ...c.req.valid("query") }),
);

function answer(c: AppContext, request: HistoryRequest): Response {
  return jsonResponse(c, writeHistoryResponse(c.var.fileset.history.records(request)));
}

/** The last change of each entry of a directory. */
export const getBlame = factory.createHandlers(validate("query", atQuery), (c) => {
  const { history, headPosition } = c.var.fileset;
  const { at = { kind: "recno", recno: headPosition.recno } as const } = c.req.valid("query");
  const path = pathInUrl(c);
  const recno = history.recnoOf(at);
  const entries = history.blame(path, recno);
  if (entries === null) throw unknownPath(path, recno);
  return jsonResponse(c, writeBlameResponse(path, entries));
});

/** The tree behind a record, or what of it differs from another one. */
export const getTree = factory.createHandlers(validate("query", treeQuery), (c) => {
  const { history } = c.var.fileset;
  const query = c.req.valid("query");
  const at = history.recnoOf(query.at);
  const against = query.against && history.recnoOf(query.against);
  const type = accepts(c, {
    header: "Accept",
    supports: [MEDIA_TYPES.snapshot, MEDIA_TYPES.ndjson],
    default: MEDIA_TYPES.snapshot,
  });
  const chunks = type === MEDIA_TYPES.ndjson ? writeLines : writeSnapshotResponse;
  async function* body(): AsyncGenerator<Uint8Array, void> {
    using tree = history.tree(at, against);
    yield* chunks(wholeSnapshot(tree));
  }
  return c.body(streamBody(c, body()), 200, {
    "Content-Type": type,
    "Cache-Control": "no-store",
    Vary: "Accept",
  });
});
