import { IzoError } from "../errors.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { decodeRecord } from "./decode-record.ts";
import { encodeRecord } from "./encode-record.ts";
import { formatTimeNs } from "./format-time.ts";
import type { KmlRecord } from "./record.ts";

/** JSON that is no record. */
export class InvalidRecordJsonError extends IzoError {
  constructor(reason: string, options?: ErrorOptions) {
    super("invalid-record-json", `Cannot read the record's JSON: ${reason}`, { reason }, options);
  }
}

/** A value of JSON. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * A record as JSON, one line of NDJSON when put through `JSON.stringify`. The keys are those of the
 * record, in a stable order, described in `docs/formats/kml.md`: times are decimal texts of
 * nanoseconds (with an ISO form beside them, which readers ignore), a value of an extended attribute
 * is base64, and a byte of a name that is no UTF-8 is a lone surrogate `\udcXX`.
 */
export function recordToJson(record: KmlRecord): { readonly [key: string]: Json } {
  const { recno, authorTimeNs, logTimeNs, origin, actor, operation } = record;
  return {
    recno,
    opcode: operation.opcode,
    authorTime: formatTimeNs(authorTimeNs),
    authorTimeNs: String(authorTimeNs),
    logTime: formatTimeNs(logTimeNs),
    logTimeNs: String(logTimeNs),
    origin: toJson(origin),
    actor: toJson(actor),
    operation: toJson(operation),
  };
}

/**
 * The inverse of {@link recordToJson}: exactly what the record was, every field checked as in the
 * bytes of a log; keys that are not known are ignored.
 *
 * @throws InvalidRecordJsonError
 */
export function parseRecordJson(json: unknown): KmlRecord {
  try {
    // The codec knows every field and what it may hold, so there is no second list of them here.
    return decodeRecord(encodeRecord(fromJson("", json) as KmlRecord));
  } catch (error) {
    const reason =
      error instanceof IzoError ? error.message : "a field is missing or has another type";
    throw new InvalidRecordJsonError(reason, { cause: error });
  }
}

function toJson(value: unknown): Json {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, toJson(field)]));
  }
  return value as Json;
}

function fromJson(key: string, value: unknown): unknown {
  if (key.endsWith("Ns")) return BigInt(value as string);
  if (key === "value") return fromBase64(value as string);
  if (Array.isArray(value)) return value.map((item) => fromJson("", item));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, fromJson(name, field)]),
    );
  }
  return value;
}
