import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Recno } from "../kml/identity.ts";
import type { Position } from "../kml/position.ts";
import type { ServerRecord } from "../kml/record.ts";
import {
  arbitraryPath,
  arbitraryRecordOf,
  arbitraryRecno,
  arbitraryReplicatedOperation,
  arbitrarySha256,
} from "../testing/arbitrary-record.ts";
import {
  type FeedEvent,
  parseEventsPath,
  parseEventsResponse,
  writeEvent,
  writeEventsRequest,
} from "./events-message.ts";
import { problemOf } from "./problem.ts";
import { WireFormatError } from "./wire-format-error.ts";

const position: fc.Arbitrary<Position> = fc.record({
  recno: arbitraryRecno,
  hash: arbitrarySha256,
});
const record = arbitraryRecordOf(
  fc.constant(1 as Recno),
  arbitraryReplicatedOperation,
) as fc.Arbitrary<ServerRecord>;
const event: fc.Arbitrary<FeedEvent> = fc.oneof(
  fc.record({ kind: fc.constant("record"), position, record }),
  fc.record({ kind: fc.constant("head"), position, head: position }),
  fc.constant({ kind: "problem", problem: problemOf(new Error("x")) } as const),
);

/** The bytes of a text in pieces of `size`, as a network may cut them. */
async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array, void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function parse(text: string, size = 1000): Promise<FeedEvent[]> {
  const events: FeedEvent[] = [];
  for await (const one of parseEventsResponse(inPieces(text, size))) events.push(one);
  return events;
}

describe("parseEventsResponse()", () => {
  test("gives what writeEvent() wrote, however the body is cut", async () => {
    const run = fc.asyncProperty(
      fc.array(event, { maxLength: 4 }),
      fc.integer({ min: 1, max: 400 }),
      async (events, size) => {
        const text = events.map(writeEvent).join("");
        expect(await parse(`retry: 1\n\n: a comment\n${text}`, size)).toEqual(events);
      },
    );
    await fc.assert(run, { seed: 1 });
  });

  test("leaves out an event that a cut connection left without its end", async () => {
    const [one] = fc.sample(event, { seed: 2, numRuns: 1 });
    const text = writeEvent(one!);
    expect(await parse(text + text.slice(0, -1))).toEqual([one]);
  });

  test.each([
    { description: "a record that is no JSON", text: "id: 1/x\nevent: record\ndata: {\n\n" },
    { description: "a head without a position", text: "event: head\ndata: {}\n\n" },
    { description: "data that is null", text: "event: head\ndata: null\n\n" },
  ])("refuses $description", async ({ text }) => {
    await expect(parse(text)).rejects.toThrow(WireFormatError);
  });
});

describe("parseEventsPath()", () => {
  test("gives the path that writeEventsRequest() wrote, whatever bytes its names hold", () => {
    fc.assert(
      fc.property(arbitraryPath, position, (path, after) => {
        const query = writeEventsRequest({ after, path, opcodes: ["CLOSE"] });
        expect(parseEventsPath(query)).toBe(path);
      }),
      { seed: 1 },
    );
  });

  test.each([
    { query: "path=%2Fa+b%2Fc", path: "/a b/c" },
    { query: "op=CLOSE&path=a/b/", path: "/a/b" },
    { query: "path=%FF", path: "/\udcff" },
    { query: "xpath=/a", path: undefined },
    { query: "", path: undefined },
  ])("reads $query as $path", ({ query, path }) => {
    expect(parseEventsPath(query)).toBe(path);
  });
});
