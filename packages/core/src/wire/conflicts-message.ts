import type { Recno, Sha256 } from "../kml/identity.ts";
import type { OriginId } from "../kml/operation.ts";
import type { ConflictSide, StandingConflict } from "../reintegrate/standing-conflict.ts";
import { JsonFields } from "./json-fields.ts";

/** The content from which both sides of a conflict started. */
export interface ConflictAncestor {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** Whether the server still has it: old contents are kept for a time only. */
  readonly isKept: boolean;
}

/** The record of the log that made a copy, while the log holds it. */
export interface ConflictRecord {
  readonly recno: Recno;
  readonly origin: OriginId;
  readonly uid: number;
  /** Name of the program, at best effort; empty where unknown. */
  readonly command: string;
}

/** A conflict as the server tells of it. */
export interface ConflictReport extends StandingConflict {
  /** Null where there never was one, or nobody knows it any more. */
  readonly ancestor: ConflictAncestor | null;
  readonly record: ConflictRecord | null;
}

export function writeConflictsResponse(conflicts: readonly ConflictReport[]): string {
  return JSON.stringify({ conflicts });
}

/** @throws WireFormatError */
export function parseConflictsResponse(body: string): ConflictReport[] {
  return JsonFields.parse("list of conflicts", body).list("conflicts", (fields) => ({
    copy: parseSide(fields.fields("copy")),
    original: fields.nullable("original", () => parseSide(fields.fields("original"))),
    host: fields.text("host"),
    time: fields.text("time"),
    base: fields.recno("base"),
    ours: fields.nullable("ours", () => fields.sha256("ours")),
    theirs: fields.nullable("theirs", () => fields.sha256("theirs")),
    ancestor: fields.nullable("ancestor", () => parseAncestor(fields.fields("ancestor"))),
    record: fields.nullable("record", () => parseRecord(fields.fields("record"))),
  }));
}

function parseSide(fields: JsonFields): ConflictSide {
  return {
    oid: fields.id("oid"),
    path: fields.text("path"),
    kind: fields.oneOf("kind", ["file", "directory", "symlink", "special"]),
    sizeBytes: fields.whole("sizeBytes"),
    sha256: fields.nullable("sha256", () => fields.sha256("sha256")),
  };
}

function parseAncestor(fields: JsonFields): ConflictAncestor {
  return {
    sha256: fields.sha256("sha256"),
    sizeBytes: fields.whole("sizeBytes"),
    isKept: fields.boolean("isKept"),
  };
}

function parseRecord(fields: JsonFields): ConflictRecord {
  const origin = fields.fields("origin");
  return {
    recno: fields.recno("recno"),
    origin: { peer: origin.id("peer"), recno: origin.recno("recno") },
    uid: fields.whole("uid"),
    command: fields.text("command"),
  };
}
