import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { arbitrarySnapshot } from "../testing/arbitrary-snapshot.ts";
import { arbitraryCuts, collect, concat, inChunks } from "../testing/byte-chunks.ts";
import { parseSnapshotResponse, writeSnapshotResponse } from "./snapshot-message.ts";
import type { SnapshotRow } from "./snapshot-row.ts";

const parse = (body: Uint8Array, cuts?: readonly number[]): Promise<SnapshotRow[]> =>
  collect(parseSnapshotResponse(inChunks(body, cuts)));

const start: SnapshotRow = {
  kind: "start",
  position: { recno: 3 as never, hash: "ab".repeat(32) as never },
  oldestRecno: 1 as never,
  received: { recno: 0 as never, check: "0".repeat(16) },
};
const alias: SnapshotRow = {
  kind: "alias",
  alias: "01".repeat(16) as never,
  oid: "02".repeat(16) as never,
};
const entry: SnapshotRow = {
  kind: "entry",
  entry: {
    parent: "01".repeat(16) as never,
    name: "a" as never,
    oid: "02".repeat(16) as never,
    version: 2 as never,
  },
};

describe("parseSnapshotResponse()", () => {
  test("gives back what writeSnapshotResponse() was given, wherever the network cuts it", async () => {
    await fc.assert(
      fc.asyncProperty(arbitrarySnapshot, arbitraryCuts, async (rows, cuts) => {
        const body = concat(writeSnapshotResponse(rows));
        expect(await parse(body, cuts)).toEqual(rows);
      }),
    );
  });

  test("refuses a snapshot that was cut off, wherever that happened", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitrarySnapshot,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (rows, part) => {
          const body = concat(writeSnapshotResponse(rows));
          const torn = body.subarray(0, Math.floor(body.length * part));
          await expect(parse(torn)).rejects.toMatchObject({ code: "wire-format" });
        },
      ),
    );
  });

  test.each([
    { description: "rows without a start", rows: [alias, { kind: "end", rows: 1 }] },
    { description: "two starts", rows: [start, start, { kind: "end", rows: 2 }] },
    {
      description: "an entry behind an alias",
      rows: [start, alias, entry, { kind: "end", rows: 3 }],
    },
    {
      description: "a row behind the end",
      rows: [start, { kind: "end", rows: 1 }, { kind: "end", rows: 2 }],
    },
    { description: "fewer rows than its end says", rows: [start, { kind: "end", rows: 2 }] },
  ] satisfies { description: string; rows: SnapshotRow[] }[])(
    "refuses $description",
    async ({ rows }) => {
      const body = concat(writeSnapshotResponse(rows));
      await expect(parse(body)).rejects.toMatchObject({ code: "wire-format" });
    },
  );

  test("refuses a name that leaves its directory", async () => {
    const body = concat(writeSnapshotResponse([start, entry, { kind: "end", rows: 2 }]));
    // The name is the only byte 0x61 of the body: "a" becomes "/".
    body[body.indexOf(0x61)] = 0x2f;
    await expect(parse(body)).rejects.toMatchObject({ code: "wire-format" });
  });

  test("refuses a row longer than any can be before it is read", async () => {
    const head = Uint8Array.from([0xff, 0xff, 0xff, 0x7f, 1]);
    await expect(parse(head)).rejects.toThrow("a frame of 2147483647 bytes is longer than");
  });
});
