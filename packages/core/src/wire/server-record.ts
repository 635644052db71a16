import { IzoError } from "../errors.ts";
import { parseRecordJson } from "../kml/record-json.ts";
import type { KmlRecord, ServerRecord } from "../kml/record.ts";
import { WireFormatError } from "./wire-format-error.ts";

/** Tells a record of a server's log from one of a client's own; a server logs no open CLOSE. */
export function isServerRecord(record: KmlRecord): record is ServerRecord {
  switch (record.operation.opcode) {
    case "SEALED":
    case "CANCELLED":
    case "SENT":
      return false;
    case "CLOSE":
      return record.operation.sha256 !== null;
    default:
      return true;
  }
}

/** A server's record from its JSON. @throws WireFormatError */
export function parseServerRecordJson(json: unknown): ServerRecord {
  const record = parse(json);
  if (isServerRecord(record)) return record;
  throw new WireFormatError("record", `${record.operation.opcode} is what no server logs`);
}

function parse(json: unknown): KmlRecord {
  try {
    return parseRecordJson(json);
  } catch (error) {
    if (!(error instanceof IzoError)) throw error;
    throw new WireFormatError("record", error.message, { cause: error });
  }
}
