import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { encodeRecord } from "../kml/encode-record.ts";
import type { FilesetId, Recno } from "../kml/identity.ts";
import type { Operation } from "../kml/operation.ts";
import type { Position } from "../kml/position.ts";
import type { KmlRecord } from "../kml/record.ts";
import { RunningHash, startPosition } from "../kml/running-hash.ts";
import {
  arbitraryOperations,
  arbitraryRecordOf,
  arbitraryReplicatedOperation,
} from "../testing/arbitrary-record.ts";
import { concat } from "../testing/byte-chunks.ts";
import { parsePollResponse } from "./poll-message.ts";

const start = startPosition("0123456789abcdef0123456789abcdef" as FilesetId);

const logged = arbitraryReplicatedOperation.filter(
  (operation) => operation.opcode !== "CLOSE" || operation.sha256 !== null,
);
const records = fc
  .array(arbitraryRecordOf(fc.constant(1 as Recno), logged), { minLength: 1, maxLength: 6 })
  .map((list) => list.map((record, index) => ({ ...record, recno: (index + 1) as Recno })));

const someRecords = fc.sample(records, { seed: 3, numRuns: 20 }).find(({ length }) => length >= 3)!;

function write(list: readonly KmlRecord[]): { body: Uint8Array; head: Position } {
  const parts = list.map(encodeRecord);
  const running = new RunningHash(start.hash);
  for (const part of parts) running.extend(part);
  return { body: concat(parts), head: { recno: list.length as Recno, hash: running.digits() } };
}

describe("parsePollResponse()", () => {
  test("gives the records and the position behind them", () => {
    fc.assert(
      fc.property(records, (list) => {
        const { body, head } = write(list);
        expect(parsePollResponse(body, start, head)).toEqual({ records: list, last: head, head });
      }),
    );
  });

  test("stays where it is when there is nothing", () => {
    const head = start;
    expect(parsePollResponse(new Uint8Array(), start, head)).toEqual({
      records: [],
      last: start,
      head,
    });
  });

  test("refuses a body that was cut off", () => {
    const { body, head } = write(someRecords);
    expect(() => parsePollResponse(body.subarray(0, body.length - 1), start, head)).toThrow(
      "Cannot read the answer to a poll",
    );
  });

  test("refuses a gap", () => {
    const { body, head } = write([someRecords[0]!, someRecords[2]!]);
    expect(() => parsePollResponse(body, start, head)).toThrow("stands in the place of 2");
  });

  test("refuses records that are not those that its head hashes", () => {
    const { body } = write(someRecords);
    const head = { recno: someRecords.length as Recno, hash: start.hash };
    expect(() => parsePollResponse(body, start, head)).toThrow("is not that of its records");
  });

  test("refuses a head that lies behind its records", () => {
    const { body } = write(someRecords);
    expect(() => parsePollResponse(body, start, start)).toThrow("is not that of its records");
  });

  test.each(["SEALED", "CANCELLED", "SENT"] as const)(
    "refuses %s, which no server logs",
    (opcode) => {
      const arbitrary = arbitraryOperations[opcode] as fc.Arbitrary<Operation>;
      const [operation] = fc.sample(arbitrary, { seed: 1, numRuns: 1 });
      const { body, head } = write([{ ...someRecords[0]!, operation: operation! }]);
      expect(() => parsePollResponse(body, start, head)).toThrow(
        `is ${opcode}, which no server logs`,
      );
    },
  );
});
