import { HEADERS, MEDIA_TYPES, type Route } from "@izo/core";
import { z } from "zod";

import {
  atQuery,
  contentPackQuery,
  contentParameters,
  eventsQuery,
  filesetParameters,
  historyQuery,
  pathHistoryQuery,
  pollQuery,
  positionParameters,
  segmentParameters,
  snapshotQuery,
  treeQuery,
} from "./parameters.ts";
import {
  blameAnswer,
  conflictsAnswer,
  filesetsAnswer,
  healthAnswer,
  historyAnswer,
  listingAnswer,
  peersAnswer,
  positionAnswer,
  permitAnswer,
  permitsAnswer,
  profileAnswer,
  reintegrateAnswer,
  segmentsAnswer,
  statusAnswer,
} from "./response-schemas.ts";

/** One operation, as this file writes it down. */
export interface Operation {
  readonly method: "get" | "head" | "put" | "post";
  readonly route: Route;
  /** The rest of the path, where there is one. */
  readonly rest?: string;
  readonly summary: string;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodType;
  readonly headers?: readonly string[];
  /** Media type of the request's body. */
  readonly body?: string;
  /** Answers by status: media types with the form of what is JSON, and headers. */
  readonly answers: Readonly<Record<number, Answer>>;
}

export interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, z.ZodType | null>>;
  readonly headers?: readonly string[];
}

const json = (schema: z.ZodType): Readonly<Record<string, z.ZodType>> => ({
  [MEDIA_TYPES.json]: schema,
});

const PARTIAL = {
  description: "The part that was asked for",
  content: { "*/*": null },
  headers: ["Content-Range"],
};
const UNCHANGED = { description: "The client has it already" };

/** Every operation of the server; a test compares them with the routes of the app. */
export const OPERATIONS: readonly Operation[] = [
  {
    method: "get",
    route: "home",
    summary: "A page with the filesets",
    answers: { 200: { description: "The page", content: { "text/html": null } } },
  },
  {
    method: "get",
    route: "login",
    summary: "A form that takes a token, for browsers",
    answers: { 200: { description: "The form", content: { "text/html": null } } },
  },
  {
    method: "post",
    route: "login",
    summary: "Begins a browser's session for a token",
    body: "application/x-www-form-urlencoded",
    answers: {
      303: { description: "A session has begun", headers: ["Location", "Set-Cookie"] },
      401: { description: "No valid token; the form again", content: { "text/html": null } },
    },
  },
  {
    method: "post",
    route: "logout",
    summary: "Ends a browser's session",
    answers: { 303: { description: "It has ended", headers: ["Location", "Set-Cookie"] } },
  },
  {
    method: "get",
    route: "health",
    summary: "Whether the server answers",
    answers: { 200: { description: "It does", content: json(healthAnswer) } },
  },
  {
    method: "get",
    route: "metrics",
    summary: "Counters for Prometheus",
    answers: { 200: { description: "The counters", content: { "text/plain": null } } },
  },
  {
    method: "get",
    route: "openapi",
    summary: "This document",
    answers: {
      200: { description: "OpenAPI 3.1", content: json(z.looseObject({ openapi: z.string() })) },
    },
  },
  {
    method: "get",
    route: "filesets",
    summary: "The filesets of this server",
    answers: { 200: { description: "Their names and ids", content: json(filesetsAnswer) } },
  },
  {
    method: "get",
    route: "profile",
    summary: "What a fileset is and where its log stands",
    path: filesetParameters,
    answers: { 200: { description: "The profile", content: json(profileAnswer) } },
  },
  {
    method: "get",
    route: "status",
    summary: "Figures of a fileset and its peers",
    path: filesetParameters,
    answers: { 200: { description: "The figures", content: json(statusAnswer) } },
  },
  {
    method: "get",
    route: "peers",
    summary: "The peers, and how each stands to the log",
    path: filesetParameters,
    answers: { 200: { description: "The peers", content: json(peersAnswer) } },
  },
  {
    method: "get",
    route: "conflicts",
    summary: "Conflict copies that nobody has decided on",
    path: filesetParameters,
    answers: {
      200: { description: "Both sides of each, and the ancestor", content: json(conflictsAnswer) },
    },
  },
  {
    method: "get",
    route: "kml",
    summary: "Records behind a position; waits for one",
    path: filesetParameters,
    query: pollQuery,
    headers: [HEADERS.peer, HEADERS.contents],
    answers: {
      200: {
        description: "The records, none when the wait ended without",
        content: {
          [MEDIA_TYPES.kml]: null,
          [MEDIA_TYPES.kmlWithContents]: null,
          [MEDIA_TYPES.ndjson]: null,
        },
        headers: [HEADERS.head],
      },
    },
  },
  {
    method: "get",
    route: "events",
    summary: "The records as they come, as server-sent events",
    path: filesetParameters,
    query: eventsQuery,
    headers: [HEADERS.lastEventId],
    answers: {
      200: {
        description: "Events record, head and problem; the id of each is a position",
        content: { [MEDIA_TYPES.events]: null },
        headers: [HEADERS.head],
      },
    },
  },
  {
    method: "get",
    route: "segments",
    summary: "Segments of the log",
    path: filesetParameters,
    answers: { 200: { description: "The segments", content: json(segmentsAnswer) } },
  },
  {
    method: "get",
    route: "segment",
    summary: "A sealed segment of the log",
    path: segmentParameters,
    headers: ["Range", "If-None-Match"],
    answers: {
      200: {
        description: "Its bytes",
        content: { [MEDIA_TYPES.segment]: null },
        headers: ["ETag"],
      },
      206: PARTIAL,
      304: UNCHANGED,
    },
  },
  {
    method: "get",
    route: "position",
    summary: "The place behind a record",
    path: positionParameters,
    answers: { 200: { description: "The place", content: json(positionAnswer) } },
  },
  {
    method: "get",
    route: "snapshot",
    summary: "The tree at a stated position",
    path: filesetParameters,
    query: snapshotQuery,
    answers: {
      200: {
        description:
          "Rows: start, objects, entries, aliases, tombstones, outcomes of the peer, end",
        content: { [MEDIA_TYPES.snapshot]: null, [MEDIA_TYPES.ndjson]: null },
      },
    },
  },
  {
    method: "get",
    route: "tree",
    summary: "The tree behind a record, or what of it differs from the tree behind another",
    path: filesetParameters,
    query: treeQuery,
    answers: {
      200: {
        description: "Rows: start, objects, entries, aliases, end",
        content: { [MEDIA_TYPES.snapshot]: null, [MEDIA_TYPES.ndjson]: null },
      },
    },
  },
  {
    method: "get",
    route: "history",
    summary: "The records about an object, under all ids that it had",
    path: filesetParameters,
    query: historyQuery,
    answers: { 200: { description: "The records", content: json(historyAnswer) } },
  },
  {
    method: "get",
    route: "history",
    rest: "/{path}",
    summary: "The records about all that ever had a path",
    path: filesetParameters.extend({ path: z.string() }),
    query: pathHistoryQuery,
    answers: { 200: { description: "The records", content: json(historyAnswer) } },
  },
  ...["", "/{path}"].map((rest): Operation => ({
    method: "get",
    route: "blame",
    rest,
    summary: "The last change of each entry of a directory",
    path: rest === "" ? filesetParameters : filesetParameters.extend({ path: z.string() }),
    query: atQuery,
    answers: { 200: { description: "The entries", content: json(blameAnswer) } },
  })),
  {
    method: "get",
    route: "contentPack",
    summary: "The small contents that a range of the log names",
    path: filesetParameters,
    query: contentPackQuery,
    answers: { 200: { description: "The contents", content: { [MEDIA_TYPES.contentPack]: null } } },
  },
  {
    method: "get",
    route: "content",
    summary: "A content by its hash",
    path: contentParameters,
    headers: ["Range", "If-Range", "If-None-Match"],
    answers: {
      200: { description: "Its bytes", content: { [MEDIA_TYPES.bytes]: null }, headers: ["ETag"] },
      206: PARTIAL,
      304: UNCHANGED,
    },
  },
  {
    method: "head",
    route: "content",
    summary:
      "Whether a content is here, and how much of its upload; 404 carries the upload's headers too",
    path: contentParameters,
    answers: {
      200: { description: "It is here", headers: [HEADERS.uploadOffset, HEADERS.uploadComplete] },
    },
  },
  {
    method: "put",
    route: "content",
    summary: "Upload a content, or the rest of one",
    path: contentParameters,
    headers: [HEADERS.uploadOffset, HEADERS.uploadLength],
    body: MEDIA_TYPES.bytes,
    answers: {
      201: {
        description: "All of it is here and has the hash",
        headers: [HEADERS.uploadOffset, HEADERS.uploadComplete],
      },
      202: {
        description: "The rest is still to come",
        headers: [HEADERS.uploadOffset, HEADERS.uploadComplete],
      },
    },
  },
  {
    method: "post",
    route: "reintegrate",
    summary: "Hand over a batch of a client's records",
    path: filesetParameters,
    headers: [HEADERS.removalConfirmed],
    body: MEDIA_TYPES.reintegrate,
    answers: {
      200: {
        description: "What became of each; all of it durable",
        content: json(reintegrateAnswer),
      },
    },
  },
  {
    method: "get",
    route: "permit",
    summary: "Who holds the permit of which directory",
    path: filesetParameters,
    answers: { 200: { description: "The permits", content: json(permitsAnswer) } },
  },
  {
    method: "post",
    route: "permit",
    summary: "Take, renew or hand back the permit to write below a directory",
    path: filesetParameters,
    body: MEDIA_TYPES.json,
    answers: {
      200: { description: "The lease; null once handed back", content: json(permitAnswer) },
    },
  },
  ...["", "/{path}"].map((rest): Operation => ({
    method: "get",
    route: "files",
    rest,
    summary: "A file, or what a directory holds, now or behind a record",
    path: rest === "" ? filesetParameters : filesetParameters.extend({ path: z.string() }),
    query: atQuery,
    headers: ["Range", "If-Range", "If-None-Match"],
    answers: {
      200: {
        description: "A file's bytes, or a listing",
        content: { [MEDIA_TYPES.json]: listingAnswer, "text/html": null, "*/*": null },
      },
      206: PARTIAL,
      304: UNCHANGED,
    },
  })),
];
