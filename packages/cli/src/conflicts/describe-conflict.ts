import type { ConflictSide, Sha256, StandingConflict } from "@izo/core";

import { formatBytes } from "../output/quantity.ts";
import { formatFields } from "../output/table.ts";
import { type Ancestor, linesOf, readText, type ServerKnowledge } from "./read-sides.ts";
import { countMeetings, unifiedDiff } from "./unified-diff.ts";

/** A conflict for people: who, when, the three contents, and what differs. */
export function describeConflict(
  conflict: StandingConflict,
  { record, ancestor }: ServerKnowledge,
  mountPoint: string,
): string {
  const { copy, original, host, time, base } = conflict;
  const fields = formatFields([
    ["copy", copy.path],
    ["of", original?.path ?? "removed since"],
    ["author", describeAuthor(host, time, record)],
    ["records", describeRecords(base, record)],
    ["ancestor", describeAncestor(ancestor)],
    ["ours", describeSide(original)],
    ["theirs", describeSide(copy)],
  ]);
  const ours = readText(mountPoint, original);
  const theirs = readText(mountPoint, copy);
  if (ours === undefined || theirs === undefined) return fields;
  const common = ancestor.kind === "content" ? linesOf(ancestor.bytes) : undefined;
  return [fields, "", ...describeDifference(ours, common, theirs)].join("\n");
}

function describeDifference(
  ours: string[],
  ancestor: string[] | undefined,
  theirs: string[],
): string[] {
  if (ancestor === undefined) {
    return ["--- ours", "+++ theirs", ...unifiedDiff(ours, theirs)];
  }
  const meetings = countMeetings(ours, ancestor, theirs);
  return [
    "--- ancestor",
    "+++ ours",
    ...unifiedDiff(ancestor, ours),
    "",
    "--- ancestor",
    "+++ theirs",
    ...unifiedDiff(ancestor, theirs),
    "",
    meetings === 0
      ? "Both changed different places: a merge can take all of it"
      : `Both changed the same lines in ${meetings} ${meetings === 1 ? "place" : "places"}`,
  ];
}

function describeAuthor(host: string, time: string, record: ServerKnowledge["record"]): string {
  const who =
    record === null
      ? []
      : [`uid ${record.uid}`, ...(record.command === "" ? [] : [record.command])];
  return [host, time, ...who].join(", ");
}

function describeRecords(base: number, record: ServerKnowledge["record"]): string {
  const from = base === 0 ? "no common one" : `both started from ${base}`;
  if (record === null) return from;
  const { recno, origin } = record;
  return `${from}, the copy is ${recno} (record ${origin.recno} of peer ${origin.peer.slice(0, 8)})`;
}

function describeAncestor(ancestor: Ancestor): string {
  switch (ancestor.kind) {
    case "content":
      return `${formatBytes(ancestor.bytes.length)}, ${shorten(ancestor.sha256)}`;
    case "none":
      return "none: both made the file";
    case "expired":
      return "not kept any more: the server keeps old contents for a time only";
    case "unreachable":
      return `not known: ${ancestor.reason}`;
  }
}

function describeSide(side: ConflictSide | null): string {
  if (side === null) return "removed since";
  if (side.kind !== "file") return `a ${side.kind}`;
  const hash = side.sha256 === null ? "changed just now" : shorten(side.sha256);
  return `${formatBytes(side.sizeBytes)}, ${hash}`;
}

function shorten(sha256: Sha256): string {
  return sha256.slice(0, 16);
}
