import { hash } from "node:crypto";

import {
  formatPosition,
  HEADERS,
  MEDIA_TYPES,
  parsePollResponse,
  parsePollWithContents,
  parsePosition,
  type Position,
} from "@izo/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { closeFile, createFile, TestPeer } from "../testing/test-peer.ts";

let t: TestApp;
let after: Position;
let author: TestPeer;
let others: TestPeer;

async function write(name: string, content: string): Promise<void> {
  const { oid, contentVersion } = t.fileset.lookUp(name)!.object;
  await author.stage(content);
  await author.push(closeFile(oid, content, contentVersion));
}

beforeAll(async () => {
  t = await openTestApp();
  author = new TestPeer(t.fileset);
  others = new TestPeer(t.fileset);
  after = t.fileset.headPosition;
  await author.push(createFile("small"), createFile("large"));
  await write("/small", "replaced");
  await write("/small", "small");
  await write("/large", "x".repeat(5000));
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

function poll(headers: Record<string, string>): Promise<Response> {
  return t.get(`/kml?after=${formatPosition(after)}`, headers);
}

const hashes = (...contents: string[]): string[] =>
  contents.map((content) => hash("sha256", content));

/** Of the largest content that comes. */
async function largestFor(wanted: string): Promise<number> {
  const response = await poll({ [HEADERS.contents]: wanted });
  const { contents } = parsePollWithContents(new Uint8Array(await response.arrayBuffer()));
  return Math.max(...contents.map(({ bytes }) => bytes.length));
}

describe("GET /kml with small contents", () => {
  test("brings those that the client wants, and the same records", async () => {
    const response = await poll({ [HEADERS.contents]: "4096" });
    expect(response.headers.get("Content-Type")).toBe(MEDIA_TYPES.kmlWithContents);
    const body = new Uint8Array(await response.arrayBuffer());
    const { records, contents } = parsePollWithContents(body);
    const head = parsePosition(response.headers.get(HEADERS.head)!);
    expect(parsePollResponse(records, after, head).records).toHaveLength(5);
    const texts = contents.map(({ bytes }) => Buffer.from(bytes).toString());
    expect(texts).toEqual(["small"]);
    expect(contents.map(({ sha256 }) => sha256)).toEqual(hashes(...texts));
  });

  test("brings as much as it is asked for, to each who asks", async () => {
    expect(await largestFor("65536")).toBe(5000);
    expect(await largestFor("4096")).toBeLessThan(100);
    expect(await largestFor("65536")).toBe(5000);
  });

  test.each([
    { description: "who does not ask for any, as an older client", headers: () => ({}) },
    { description: "who asks for lines", headers: () => ({ Accept: MEDIA_TYPES.ndjson }) },
    {
      description: "the author of all of them",
      headers: () => ({ [HEADERS.contents]: "4096", [HEADERS.peer]: `${author.peer} laptop` }),
    },
    { description: "who asks for none", headers: () => ({ [HEADERS.contents]: "0" }) },
  ])("brings the records alone to $description", async ({ headers }) => {
    const response = await poll(headers());
    expect(response.headers.get("Content-Type")).toMatch(/kml$|ndjson/);
  });

  test("brings them to another peer than the author", async () => {
    const response = await poll({
      [HEADERS.contents]: "4096",
      [HEADERS.peer]: `${others.peer} laptop`,
    });
    expect(response.headers.get("Content-Type")).toBe(MEDIA_TYPES.kmlWithContents);
  });
});
