import * as fc from "fast-check";
import { expect, test } from "vitest";

import { IzoError } from "../errors.ts";
import * as core from "../index.ts";
import { fuzzSize, hostileBytes, hostileJson, hostileText } from "../testing/fuzz.ts";

const POSITION = `3/${"ab".repeat(32)}`;
const JSON_SEED = JSON.stringify({
  head: POSITION,
  position: POSITION,
  results: [{ originRecno: 1, verdict: "applied", reason: null, trace: 3 }],
  filesets: [{ name: "rootfset", id: "01".repeat(16) }],
  limits: { inlineBytes: 1, pushRecords: 1 },
  peers: [],
  conflicts: [],
  permits: [],
  entries: [{ name: "a", kind: "file", mtimeNs: "1" }],
  records: [],
  lease: { oid: "01".repeat(16), epoch: 1, leaseMs: 1, recno: 1, isWanted: false },
  action: "take",
  peer: "01".repeat(16),
  oid: "01".repeat(16),
  host: "h",
  waitSeconds: 1,
  code: "internal",
});
const TEXTS = [
  "a",
  "/a/b",
  POSITION,
  "bytes=0-9/10",
  "bytes=3-",
  "*.lock=theirs",
  `${"01".repeat(16)} h`,
  "kml-1",
];
const hash = (): Uint8Array => new Uint8Array(32);
const start = core.startPosition("01".repeat(16) as core.FilesetId);

/** One frame of each kind that has one, as far as bytes alone can be valid. */
const BYTES = [
  new Uint8Array(),
  Uint8Array.of(0, 0, 0, 0, 1),
  Uint8Array.of(4, 0, 0, 0, 2, 0, 0, 0, 0),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 0),
  core.writePackedContents([{ sha256: "ab".repeat(32) as core.Sha256, bytes: new Uint8Array(9) }]),
  core.writeContentPackEnd(1),
  core.writePollWithContents({ records: new Uint8Array(3), contents: [] }),
];

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

const ofBytes: Record<string, (bytes: Uint8Array) => unknown> = {
  decodeRecord: core.decodeRecord,
  parseSegmentHeader: (bytes) => core.parseSegmentHeader(bytes, "kml-1"),
  parseReintegrateRequest: (bytes) => core.parseReintegrateRequest(bytes),
  parsePollResponse: (bytes) => core.parsePollResponse(bytes, start, start, hash),
  parsePollWithContents: (bytes) => core.parsePollWithContents(bytes),
  parseContentPackResponse: (bytes) => drain(core.parseContentPackResponse(chunksOf(bytes))),
  parseEventsResponse: (bytes) => drain(core.parseEventsResponse(chunksOf(bytes))),
  parseSnapshotResponse: (bytes) => drain(core.parseSnapshotResponse(chunksOf(bytes))),
};

/** Parsers of headers and other texts; all others are of JSON. */
const OF_TEXT =
  /Bearer|ContentRange|ContentsHeader|parseRange|ConflictName|EventsPath|FilesPath|LogPlace|parseName|parsePath|PeerHeader|PolicyRule|parsePosition$|SegmentName|Upload|Undo|Time/;

const parsers = Object.entries(core).filter(([name]) => /^(parse|decode)[A-Z]/.test(name)) as [
  string,
  (...args: unknown[]) => unknown,
][];

/** Whatever comes in, a parser gives a value or an error of ours. */
async function tryParse(parse: () => unknown): Promise<void> {
  try {
    const result = await parse();
    if (typeof result === "object" && result !== null && Symbol.asyncIterator in result) {
      await drain(result as AsyncIterable<unknown>);
    }
  } catch (error) {
    if (!(error instanceof IzoError)) throw error;
  }
}

test.each(parsers)(
  "%s() reads what is hostile, or refuses it in our words",
  async (name, parse) => {
    const ofInput = ofBytes[name];
    const texts = OF_TEXT.test(name) ? hostileText(TEXTS) : hostileJson([JSON_SEED]);
    // Parsers of headers are given what looks one up by its name.
    const take = (text: string): unknown => (name.startsWith("parseUpload") ? () => text : text);
    const input = ofInput === undefined ? texts : hostileBytes(BYTES);
    const run = (given: string | Uint8Array): unknown =>
      typeof given === "string" ? parse(take(given), { records: [] }) : ofInput?.(given);
    const property = fc.asyncProperty(input as fc.Arbitrary<string | Uint8Array>, (given) =>
      tryParse(() => run(given)),
    );
    await fc.assert(property, fuzzSize(100));
    expect(parsers.length).toBeGreaterThan(30);
  },
);
