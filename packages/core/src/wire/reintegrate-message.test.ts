import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ByteWriter } from "../kml/byte-writer.ts";
import { encodeRecordInto } from "../kml/encode-record.ts";
import type { Recno } from "../kml/identity.ts";
import type { Operation } from "../kml/operation.ts";
import { computeOriginCheck } from "../kml/origin-check.ts";
import type { KmlRecord } from "../kml/record.ts";
import type { PermitFence } from "../permit/permit.ts";
import type { SubmittedRecord } from "../reintegrate/reintegrate.ts";
import {
  arbitraryOperations,
  arbitraryPeerId,
  arbitraryRecno,
  arbitraryRecordOf,
  arbitrarySha256,
} from "../testing/arbitrary-record.ts";
import type { Revival } from "../undo/undo-plan.ts";
import { isClientOperation } from "./client-operation.ts";
import { writeFrame } from "./frame.ts";
import { MAX_INLINE_BYTES, MAX_PUSH_RECORDS } from "./limits.ts";
import type { ReintegrateRequest, ReintegrateResponse } from "./reintegrate-batch.ts";
import {
  parseReintegrateRequest,
  parseReintegrateResponse,
  writeReintegrateRequest,
  writeReintegrateResponse,
} from "./reintegrate-message.ts";

const { OUTCOME, ALIAS, TRUNCATED, SEALED, CANCELLED, SENT, CLOSE, ...rest } = arbitraryOperations;
const clientOperation = fc
  .oneof(
    ...Object.values(rest),
    CLOSE.filter(({ sha256 }) => sha256 !== null),
  )
  .map(withModeOfItsKind)
  .filter(isClientOperation);

/** The format holds any mode; a client sends those of the kind that it makes. */
function withModeOfItsKind(operation: Operation): Operation {
  if (operation.opcode === "MKNOD") {
    return { ...operation, mode: 0o020000 | (operation.mode & 0o7777), rdev: operation.rdev % 256 };
  }
  if ("mode" in operation) return { ...operation, mode: operation.mode & 0o7777 };
  if (operation.opcode !== "SETATTR" || operation.attributes === null) return operation;
  const { attributes } = operation;
  return { ...operation, attributes: { ...attributes, mode: attributes.mode & 0o7777 } };
}

const submitted: fc.Arbitrary<SubmittedRecord> = arbitraryRecordOf(
  fc.constant(1 as Recno),
  clientOperation,
)
  .filter(({ origin }) => origin.recno > 0)
  .map(({ origin, authorTimeNs, actor, operation }) => {
    const check = computeOriginCheck({ origin, authorTimeNs, actor, operation });
    return { origin: { ...origin, check }, authorTimeNs, actor, operation };
  });

const request: fc.Arbitrary<ReintegrateRequest> = fc.record(
  {
    peer: arbitraryPeerId,
    permits: fc.array(
      fc.record({
        oid: arbitraryPeerId,
        epoch: arbitraryRecno,
      }) as fc.Arbitrary<unknown> as fc.Arbitrary<PermitFence>,
      { minLength: 1, maxLength: 3 },
    ),
    revivals: fc.array(
      fc.record({
        oid: arbitraryPeerId,
        removedAt: arbitraryRecno,
      }) as fc.Arbitrary<unknown> as fc.Arbitrary<Revival>,
      { minLength: 1, maxLength: 3 },
    ),
    host: fc.stringMatching(/^[a-z][a-z0-9.-]{0,60}$/),
    received: fc.record({
      recno: arbitraryRecno,
      check: arbitraryPeerId.map((id) => id.slice(16)),
    }),
    records: fc.array(submitted, { maxLength: 5 }),
    contents: fc.array(
      fc.record({ sha256: arbitrarySha256, bytes: fc.uint8Array({ maxLength: 300 }) }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ["peer", "host", "received", "records", "contents"] },
);

const aRequest = fc.sample(
  request.filter(({ records, contents }) => records.length > 0 && contents.length > 0),
  { seed: 1, numRuns: 1 },
)[0]!;

/** A push whose one record is written as it stands, whatever it is. */
function pushOf(record: KmlRecord): Uint8Array {
  const w = new ByteWriter();
  w.raw(writeReintegrateRequest({ ...aRequest, records: [], contents: [] }));
  writeFrame(w, 2, () => encodeRecordInto(w, record));
  return w.bytes;
}

function recordOf(operation: Operation): KmlRecord {
  const { origin, actor, authorTimeNs } = aRequest.records[0]!;
  return { recno: origin.recno, authorTimeNs, logTimeNs: authorTimeNs, origin, actor, operation };
}

describe("parseReintegrateRequest()", () => {
  test("gives back what writeReintegrateRequest() was given", () => {
    fc.assert(
      fc.property(request, (push) => {
        expect(parseReintegrateRequest(writeReintegrateRequest(push))).toEqual(push);
      }),
    );
  });

  test("refuses a push that was cut off inside a frame", () => {
    const body = writeReintegrateRequest(aRequest);
    expect(() => parseReintegrateRequest(body.subarray(0, body.length - 1))).toThrow(
      "Cannot read the batch of records: it ends inside a frame",
    );
  });

  test("refuses a record any byte of which was changed", () => {
    const [record] = aRequest.records;
    const body = writeReintegrateRequest({ ...aRequest, records: [record!], contents: [] });
    const head = writeReintegrateRequest({ ...aRequest, records: [], contents: [] }).length;
    fc.assert(
      fc.property(
        // Not the type of its frame: as a content it is read, and its hash is found wrong later.
        fc.integer({ min: head, max: body.length - 1 }).filter((at) => at !== head + 4),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          const damaged = body.slice();
          damaged[at]! ^= change;
          expect(() => parseReintegrateRequest(damaged)).toThrow("Cannot ");
        },
      ),
    );
  });

  test.each(Object.entries({ OUTCOME, ALIAS, TRUNCATED, SEALED, CANCELLED, SENT }))(
    "refuses %s, which no client may send",
    (opcode, arbitrary) => {
      const [operation] = fc.sample<Operation>(arbitrary, { seed: 1, numRuns: 1 });
      expect(() => parseReintegrateRequest(pushOf(recordOf(operation!)))).toThrow(
        `is ${opcode}, which no client may send`,
      );
    },
  );

  test("refuses a CLOSE without its hash", () => {
    const [close] = fc.sample(CLOSE, { seed: 1, numRuns: 1 });
    const record = recordOf({ ...close!, sha256: null });
    expect(() => parseReintegrateRequest(pushOf(record))).toThrow("a CLOSE without its hash");
  });

  test("[P2] refuses a record whose check is not that of what it holds", () => {
    const { operation } = aRequest.records[0]!;
    const record = recordOf(operation);
    const forged = { ...record, origin: { ...record.origin, check: "00000000000000ff" } };
    expect(() => parseReintegrateRequest(pushOf(forged))).toThrow("does not have the check");
  });

  test("refuses an inline content that is too long", () => {
    const bytes = new Uint8Array(MAX_INLINE_BYTES + 1);
    const contents = [{ sha256: "ab".repeat(32) as never, bytes }];
    const body = writeReintegrateRequest({ ...aRequest, contents });
    expect(() => parseReintegrateRequest(body)).toThrow("too long to come inline");
  });

  test("refuses more records than a push may hold", () => {
    const records = Array.from({ length: MAX_PUSH_RECORDS + 1 }, () => aRequest.records[0]!);
    const body = writeReintegrateRequest({ ...aRequest, records, contents: [] });
    expect(() => parseReintegrateRequest(body)).toThrow("1024 are allowed");
  });

  test.each(["", "a/b", "a\0b"])("refuses the host %j", (host) => {
    const body = writeReintegrateRequest({ ...aRequest, host });
    expect(() => parseReintegrateRequest(body)).toThrow("is no name of a host");
  });
});

describe("parseReintegrateResponse()", () => {
  const response: ReintegrateResponse = {
    head: { recno: 9 as Recno, hash: "ab".repeat(32) as never },
    results: aRequest.records.map(({ origin }, index) => ({
      originRecno: origin.recno,
      verdict: index === 0 ? "applied" : "refused",
      reason: index === 0 ? null : "not-empty",
      trace: (index + 1) as Recno,
    })),
  };

  test("gives back what writeReintegrateResponse() was given", () => {
    expect(parseReintegrateResponse(writeReintegrateResponse(response), aRequest)).toEqual(
      response,
    );
  });

  test("refuses an answer to other records", () => {
    const text = writeReintegrateResponse({ ...response, results: response.results.slice(1) });
    expect(() => parseReintegrateResponse(text, aRequest)).toThrow("it answers other records");
  });

  test.each([
    { description: "no JSON", text: "<html>" },
    { description: "a list", text: "[]" },
    {
      description: "an unknown verdict",
      text: writeReintegrateResponse(response).replace("applied", "eaten"),
    },
    { description: "a head that is no position", text: JSON.stringify({ head: "9", results: [] }) },
  ])("refuses $description", ({ text }) => {
    expect(() => parseReintegrateResponse(text, aRequest)).toThrow(
      "Cannot read the answer to a push",
    );
  });
});
