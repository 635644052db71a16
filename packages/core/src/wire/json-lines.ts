import { bytesToHex } from "../kml/hex.ts";
import { formatPosition, type Position } from "../kml/position.ts";
import type { SnapshotRow } from "./snapshot-row.ts";

/**
 * One line of NDJSON for a row of a snapshot: for people, `curl` and `jq`. Whole numbers over 53 bits
 * (times) are decimal texts, bytes are hexadecimal digits, positions have their text form.
 */
export function writeJsonLine(value: SnapshotRow): string {
  return `${JSON.stringify(value, replace)}\n`;
}

function replace(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (isPosition(value)) return formatPosition(value);
  return value;
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  return Object.keys(value).length === 2 && "recno" in value && "hash" in value;
}
