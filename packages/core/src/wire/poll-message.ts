import { IzoError } from "../errors.ts";
import { decodeRecord, recordLength } from "../kml/decode-record.ts";
import type { Recno } from "../kml/identity.ts";
import { formatPosition, type Position } from "../kml/position.ts";
import { MIN_RECORD_BYTES } from "../kml/record-layout.ts";
import type { KmlRecord, ServerRecord } from "../kml/record.ts";
import { type HashFunction, portableHash, RunningHash } from "../kml/running-hash.ts";
import { isServerRecord } from "./server-record.ts";
import { WireFormatError } from "./wire-format-error.ts";

const WHAT = "answer to a poll";

/** What a poll asks for. */
export interface PollRequest {
  readonly after: Position;
  /** Seconds to wait while there is nothing behind `after`. */
  readonly waitSeconds: number;
  readonly limitRecords: number;
}

/** Records of the server's log behind a position. */
export interface PollResponse {
  /** In the order of the log, without a gap. */
  readonly records: readonly ServerRecord[];
  /** The place behind the last of them; where there are none, the place that was asked about. */
  readonly last: Position;
  /** The log's durable head when the answer was made. */
  readonly head: Position;
}

/** The query of a poll. */
export function writePollRequest({ after, waitSeconds, limitRecords }: PollRequest): string {
  const wait = String(waitSeconds);
  return new URLSearchParams({
    after: formatPosition(after),
    wait,
    limit: String(limitRecords),
  }).toString();
}

/**
 * Reads the binary answer to a poll. The running hash is computed over the bytes that came, so a log
 * that is not the one polled before is found out here, whatever the server says.
 *
 * @param head what the answer's header states
 * @throws WireFormatError when a record is damaged, missing, or no record of a server's log, and when
 *   the head contradicts the records
 */
export function parsePollResponse(
  body: Uint8Array,
  after: Position,
  head: Position,
  hash: HashFunction = portableHash,
): PollResponse {
  const records: ServerRecord[] = [];
  const running = new RunningHash(after.hash, hash);
  let offset = 0;
  while (offset < body.length) {
    const record = readRecord(body, offset);
    const expected = after.recno + records.length + 1;
    if (record.recno !== expected) {
      throw new WireFormatError(WHAT, `record ${record.recno} stands in the place of ${expected}`);
    }
    const end = offset + recordLength(body, offset);
    running.extend(body.subarray(offset, end));
    records.push(record);
    offset = end;
  }
  const recno = (after.recno + records.length) as Recno;
  const last = { recno, hash: running.digits() };
  if (head.recno < recno || (head.recno === recno && head.hash !== last.hash)) {
    throw new WireFormatError(
      WHAT,
      `its head ${formatPosition(head)} is not that of its records, which end at ${formatPosition(last)}`,
    );
  }
  return { records, last, head };
}

function readRecord(body: Uint8Array, offset: number): ServerRecord {
  if (body.length - offset < MIN_RECORD_BYTES) {
    throw new WireFormatError(WHAT, "it ends inside a record");
  }
  const record = decode(body, offset);
  if (!isServerRecord(record)) {
    const { opcode } = record.operation;
    throw new WireFormatError(WHAT, `record ${record.recno} is ${opcode}, which no server logs`);
  }
  return record;
}

function decode(body: Uint8Array, offset: number): KmlRecord {
  try {
    return decodeRecord(body, offset, { segment: WHAT, offset });
  } catch (error) {
    if (!(error instanceof IzoError)) throw error;
    throw new WireFormatError(WHAT, error.message, { cause: error });
  }
}
