import { type KmlRecord, type Operation, recordPaths } from "@izo/core";

import { printable } from "../output/printable.ts";
import { formatBytes } from "../output/quantity.ts";

const OPCODE_WIDTH = "SETEXTATTR".length;
const RECNO_WIDTH = 7;
const NS_PER_MS = 1_000_000n;

/** A record as one line for people: number, time of its author, what it did, whose it is. */
export function describeRecord(record: KmlRecord): string {
  const { operation, origin } = record;
  const parts = [
    String(record.recno).padStart(RECNO_WIDTH),
    formatTime(record.authorTimeNs),
    operation.opcode.padEnd(OPCODE_WIDTH),
    recordPaths(operation).map(printable).join(" → "),
    describeDetail(operation),
    `[${origin.peer.slice(0, 8)} ${origin.recno}]`,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

/** What an operation says beyond its paths. */
function describeDetail(operation: Operation): string {
  switch (operation.opcode) {
    case "CLOSE":
      return `${formatBytes(operation.sizeBytes)} ${operation.sha256?.slice(0, 12) ?? "(open)"}${conflictMark(operation)}`;
    case "CREATE":
    case "MKDIR":
    case "MKNOD":
      return `${octal(operation.mode)} ${operation.uid}:${operation.gid}${conflictMark(operation)}`;
    case "SYMLINK":
      return `→ ${printable(operation.target)}${conflictMark(operation)}`;
    case "LINK":
    case "RENAME":
      return conflictMark(operation).trim();
    case "SETATTR":
      return operation.attributes === null
        ? "times"
        : `${octal(operation.attributes.mode)} ${operation.attributes.uid}:${operation.attributes.gid}`;
    case "SETEXTATTR":
    case "DELEXTATTR":
      return printable(operation.attribute);
    case "OUTCOME":
      return `${operation.verdict}: ${operation.reason}`;
    case "ALIAS":
      return `${operation.alias.slice(0, 8)} is ${operation.oid.slice(0, 8)}`;
    case "TRUNCATED":
      return `starts at ${operation.oldestRecno}`;
    case "SEALED":
    case "CANCELLED":
      return `record ${operation.recno}`;
    case "SENT":
      return `for ${operation.covers.join(", ")}: ${operation.operation?.opcode ?? "nothing left to send"}`;
    case "NOOP":
    case "UNLINK":
    case "RMDIR":
      return "";
  }
}

function conflictMark(operation: { readonly conflict: unknown }): string {
  return operation.conflict === null ? "" : " (conflict copy)";
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** ISO time with milliseconds; what lies beyond the years of a Date is printed as nanoseconds. */
function formatTime(timeNs: bigint): string {
  const date = new Date(Number(timeNs / NS_PER_MS));
  return Number.isNaN(date.getTime()) ? `${timeNs} ns` : date.toISOString();
}
