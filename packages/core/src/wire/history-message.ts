import type { Oid, Recno } from "../kml/identity.ts";
import { recordToJson } from "../kml/record-json.ts";
import type { ServerRecord } from "../kml/record.ts";
import type { ObjectKind } from "../replay/tree-object.ts";
import { writeFilesPath } from "./files-path.ts";
import { JsonFields } from "./json-fields.ts";
import { type LogPlace, writeLogPlace } from "./log-place.ts";
import { parseServerRecordJson } from "./server-record.ts";

/** What a history is asked for: all that had a path, or one object. */
export type HistorySubject = { readonly path: string } | { readonly oid: Oid };

export interface HistoryRequest {
  readonly about: HistorySubject;
  /** Only records behind this one: where the last answer ended. */
  readonly after: Recno;
  readonly limit: number;
}

/** Who had a name at the asked path, from a record on and before another; null while it goes on. */
export interface NameHolder {
  readonly oid: Oid;
  readonly kind: ObjectKind;
  readonly from: Recno;
  readonly to: Recno | null;
}

export interface HistoryResponse {
  /** Who had the path, in the order of time; none where an object was asked for. */
  readonly holders: readonly NameHolder[];
  /** In the order of the log. */
  readonly records: readonly ServerRecord[];
  /** Ask behind this record for more; null where there is none. */
  readonly next: Recno | null;
}

/** A name in a directory, and the record that last changed it, or what has it. */
export interface BlamedEntry {
  readonly name: string;
  readonly oid: Oid;
  readonly kind: ObjectKind;
  readonly recno: Recno;
  /** Null where the log was cut off behind it. */
  readonly record: ServerRecord | null;
}

/** Where the tree of an answer is to be taken from, as a query; the head for undefined. */
export function writeAtQuery(at: LogPlace | undefined): string {
  return at === undefined ? "" : `?at=${encodeURIComponent(writeLogPlace(at))}`;
}

/** The query of a request for differing rows of a tree. */
export function writeTreeRequest(at: LogPlace, against: LogPlace | undefined): string {
  return new URLSearchParams({
    at: writeLogPlace(at),
    ...(against !== undefined && { against: writeLogPlace(against) }),
  }).toString();
}

/** What follows the route in a request for a history: the path that it is about, and the query. */
export function writeHistoryRequest({ about, after, limit }: HistoryRequest): string {
  const page = { after: String(after), limit: String(limit) };
  if ("oid" in about) return `?${new URLSearchParams({ ...about, ...page }).toString()}`;
  return `${writeFilesPath(about.path)}?${new URLSearchParams(page).toString()}`;
}

export function writeHistoryResponse({ holders, records, next }: HistoryResponse): string {
  return JSON.stringify({ holders, records: records.map(recordToJson), next });
}

/** @throws WireFormatError */
export function parseHistoryResponse(body: string): HistoryResponse {
  const fields = JsonFields.parse("history", body);
  return {
    holders: fields.list("holders", (holder) => ({
      oid: holder.id("oid"),
      kind: holder.oneOf("kind", ["file", "directory", "symlink", "special"]),
      from: holder.recno("from"),
      to: holder.nullable("to", () => holder.recno("to")),
    })),
    records: fields.values("records").map(parseServerRecordJson),
    next: fields.nullable("next", () => fields.recno("next")),
  };
}

export function writeBlameResponse(path: string, entries: readonly BlamedEntry[]): string {
  return JSON.stringify({
    path,
    entries: entries.map((entry) => ({
      ...entry,
      record: entry.record === null ? null : recordToJson(entry.record),
    })),
  });
}

/** @throws WireFormatError */
export function parseBlameResponse(body: string): BlamedEntry[] {
  return JsonFields.parse("last changes", body).list("entries", (fields) => ({
    name: fields.text("name"),
    oid: fields.id("oid"),
    kind: fields.oneOf("kind", ["file", "directory", "symlink", "special"]),
    recno: fields.recno("recno"),
    record: fields.nullable("record", () => parseServerRecordJson(fields.value("record"))),
  }));
}
