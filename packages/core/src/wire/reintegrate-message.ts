import type { ByteReader } from "../kml/byte-reader.ts";
import { ByteWriter } from "../kml/byte-writer.ts";
import { decodeRecord } from "../kml/decode-record.ts";
import { encodeRecordInto } from "../kml/encode-record.ts";
import type { Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { computeOriginCheck } from "../kml/origin-check.ts";
import { OUTCOME_REASONS } from "../kml/outcome-reason.ts";
import { formatPosition } from "../kml/position.ts";
import type { KmlRecord } from "../kml/record.ts";
import { type HashFunction, portableHash } from "../kml/running-hash.ts";
import type { Epoch, PermitFence } from "../permit/permit.ts";
import type { SubmittedRecord } from "../reintegrate/reintegrate.ts";
import type { Revival } from "../undo/undo-plan.ts";
import { describeRefused, isClientOperation } from "./client-operation.ts";
import { type Frame, splitFrames, writeFrame } from "./frame.ts";
import { JsonFields } from "./json-fields.ts";
import { MAX_HOST_BYTES, MAX_INLINE_BYTES, MAX_PUSH_RECORDS } from "./limits.ts";
import { ProblemError } from "./problem.ts";
import { readPayload } from "./read-payload.ts";
import type {
  InlineContent,
  ReintegrateRequest,
  ReintegrateResponse,
  ReintegrateResult,
} from "./reintegrate-batch.ts";
import { WireFormatError } from "./wire-format-error.ts";

const WHAT = "batch of records";
const TYPES = { head: 1, record: 2, content: 3, permit: 4, revival: 5 } as const;
const REASONS = Object.keys(OUTCOME_REASONS) as (keyof typeof OUTCOME_REASONS)[];
const VERDICTS = ["applied", "merged", "copied", "refused"] as const;

/** The body of a push: a head, permits, revivals, the records in their order, the inline contents. */
export function writeReintegrateRequest(request: ReintegrateRequest): Uint8Array<ArrayBuffer> {
  const { peer, host, received, permits = [], revivals = [], records, contents } = request;
  const w = new ByteWriter();
  writeFrame(w, TYPES.head, () => {
    w.hex(peer, 16, "peer");
    w.u53(received.recno, "last received recno");
    w.hex(received.check, 8, "check");
    w.text8(host, "host");
  });
  for (const { oid, epoch } of permits) {
    writeFrame(w, TYPES.permit, () => {
      w.hex(oid, 16, "oid");
      w.u53(epoch, "epoch");
    });
  }
  for (const { oid, removedAt } of revivals) {
    writeFrame(w, TYPES.revival, () => {
      w.hex(oid, 16, "oid");
      w.u53(removedAt, "recno of the removal");
    });
  }
  for (const record of records) {
    writeFrame(w, TYPES.record, () => encodeRecordInto(w, asKmlRecord(record)));
  }
  for (const { sha256, bytes } of contents) {
    writeFrame(w, TYPES.content, () => {
      w.hex(sha256, 32, "sha256");
      w.raw(bytes);
    });
  }
  return w.bytes;
}

/**
 * Reads a push. Its records are those that their author sent: their checks were computed again.
 *
 * @throws WireFormatError when it is malformed; ProblemError `too-large` when it holds too much
 */
export function parseReintegrateRequest(
  body: Uint8Array,
  hash: HashFunction = portableHash,
): ReintegrateRequest {
  const [first, ...rest] = splitFrames(WHAT, body);
  if (first?.type !== TYPES.head)
    throw new WireFormatError(WHAT, "it does not start with its head");
  const head = readPayload(WHAT, first.payload, readHead);
  const permits: PermitFence[] = [];
  const revivals: Revival[] = [];
  const records: SubmittedRecord[] = [];
  const contents: InlineContent[] = [];
  for (const frame of rest) {
    const isBeforeRecords = records.length + contents.length === 0;
    if (frame.type === TYPES.permit && isBeforeRecords && revivals.length === 0) {
      permits.push(readPayload(WHAT, frame.payload, readPermit));
    } else if (frame.type === TYPES.revival && isBeforeRecords) {
      revivals.push(readPayload(WHAT, frame.payload, readRevival));
    } else if (frame.type === TYPES.record && contents.length === 0) {
      records.push(readRecord(frame, hash));
    } else if (frame.type === TYPES.content) {
      contents.push(readPayload(WHAT, frame.payload, readContent));
    } else {
      throw new WireFormatError(WHAT, `a frame of type ${frame.type} is out of place`);
    }
  }
  if (records.length > MAX_PUSH_RECORDS) {
    throw new ProblemError(
      "too-large",
      `Cannot take ${records.length} records at once: ${MAX_PUSH_RECORDS} are allowed`,
      { limit: MAX_PUSH_RECORDS },
    );
  }
  return {
    ...head,
    ...(permits.length > 0 && { permits }),
    ...(revivals.length > 0 && { revivals }),
    records,
    contents,
  };
}

export function writeReintegrateResponse({ head, results }: ReintegrateResponse): string {
  return JSON.stringify({ head: formatPosition(head), results });
}

/** Reads the answer to a push. @throws WireFormatError when it is malformed or answers something else */
export function parseReintegrateResponse(
  body: string,
  request: ReintegrateRequest,
): ReintegrateResponse {
  const fields = JsonFields.parse("answer to a push", body);
  const results = fields.list("results", readResult);
  const { records } = request;
  const isOfRequest =
    results.length === records.length &&
    results.every(({ originRecno }, index) => originRecno === records[index]!.origin.recno);
  if (!isOfRequest) throw new WireFormatError("answer to a push", "it answers other records");
  return { head: fields.position("head"), results };
}

/**
 * A record on its way has no place in the server's log yet: its recno is the author's, its log time
 * the author's time.
 */
function asKmlRecord(record: SubmittedRecord): KmlRecord<ClientOperation> {
  const { origin, authorTimeNs, actor, operation } = record;
  return { recno: origin.recno, authorTimeNs, logTimeNs: authorTimeNs, origin, actor, operation };
}

function readRecord({ payload }: Frame, hash: HashFunction): SubmittedRecord {
  return readPayload(WHAT, payload, (r) => {
    const { recno, authorTimeNs, logTimeNs, origin, actor, operation } = decodeRecord(
      r.raw(r.remaining),
    );
    if (recno !== origin.recno || logTimeNs !== authorTimeNs) {
      throw new WireFormatError(WHAT, `record ${recno} is numbered as if it were logged`);
    }
    if (!isClientOperation(operation)) {
      throw new WireFormatError(WHAT, `record ${recno} is ${describeRefused(operation)}`);
    }
    if (computeOriginCheck({ origin, authorTimeNs, actor, operation }, hash) !== origin.check) {
      throw new WireFormatError(WHAT, `record ${recno} does not have the check that it states`);
    }
    return { origin, authorTimeNs, actor, operation };
  });
}

function readHead(r: ByteReader): Pick<ReintegrateRequest, "peer" | "received" | "host"> {
  const peer = r.id() as PeerId;
  const received = { recno: r.u53("last received recno") as Recno, check: r.check() };
  const host = r.text8();
  if (host === "" || host.length > MAX_HOST_BYTES || /[/\0]/.test(host)) {
    throw new WireFormatError(WHAT, `${JSON.stringify(host)} is no name of a host`);
  }
  return { peer, received, host };
}

function readPermit(r: ByteReader): PermitFence {
  return { oid: r.id() as Oid, epoch: r.u53("epoch") as Epoch };
}

function readRevival(r: ByteReader): Revival {
  return { oid: r.id() as Oid, removedAt: r.u53("recno of the removal") as Recno };
}

function readContent(r: ByteReader): InlineContent {
  const sha256 = r.hash() as Sha256;
  if (r.remaining > MAX_INLINE_BYTES) {
    throw new WireFormatError(WHAT, `a content of ${r.remaining} bytes is too long to come inline`);
  }
  return { sha256, bytes: r.raw(r.remaining) };
}

function readResult(fields: JsonFields): ReintegrateResult {
  return {
    originRecno: fields.recno("originRecno"),
    verdict: fields.oneOf("verdict", VERDICTS),
    reason: fields.nullable("reason", () => fields.oneOf("reason", REASONS)),
    trace: fields.recno("trace"),
  };
}
