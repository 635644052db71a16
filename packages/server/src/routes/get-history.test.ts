import { hash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import {
  formatTimeNs,
  parseBlameResponse,
  parseHistoryResponse,
  parseListing,
  parseSnapshotResponse,
  type Recno,
  type SnapshotRow,
} from "@izo/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { closeFile, createFile, TestPeer } from "../testing/test-peer.ts";
import { createApp } from "./app.ts";

let t: TestApp;
/** Behind it `/note.txt` held "old"; at the head it holds "new". */
let before: Recno;
const hashOf = (text: string): string => hash("sha256", text);

beforeAll(async () => {
  t = await openTestApp();
  const peer = new TestPeer(t.fileset);
  const note = createFile("note.txt");
  await peer.stage("old");
  await peer.stage("new");
  await peer.push(note);
  const contentVersion = (): Recno => t.fileset.lookUp("/note.txt")!.object.contentVersion as Recno;
  await peer.push(closeFile(note.oid, "old", contentVersion(), "/note.txt"));
  before = t.fileset.headPosition.recno;
  await peer.push(closeFile(note.oid, "new", contentVersion(), "/note.txt"));
});
afterAll(() => t[Symbol.asyncDispose]());

describe("GET /files/PATH?at=", () => {
  test("sends what stood there behind a record, which a private cache may keep for ever", async () => {
    const response = await t.get(`/files/note.txt?at=${before}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Control")).toBe("private, max-age=31536000, immutable");
    expect(response.headers.get("ETag")).toBe(`"${hashOf("old")}"`);
    expect(await response.text()).toBe("old");
    expect(await (await t.get("/files/note.txt")).text()).toBe("new");
    const known = { "If-None-Match": `"${hashOf("old")}"` };
    expect((await t.get(`/files/note.txt?at=${before}`, known)).status).toBe(304);
  });

  test("takes a log time, whose answer is asked for again", async () => {
    const time = formatTimeNs(t.fileset.history.record(before)!.logTimeNs);
    const response = await t.get(`/files/note.txt?at=${encodeURIComponent(`@${time}`)}`);
    expect(response.headers.get("Cache-Control")).toBe("no-cache");
    expect(await response.text()).toBe("old");
  });

  test("lists a directory as it was, as JSON and as a page whose links stay there", async () => {
    const response = await t.get(`/files/?at=${before - 2}`, { Accept: "application/json" });
    expect(response.headers.get("Cache-Control")).toContain("immutable");
    const listing = parseListing(await response.text());
    expect(listing.at).toBe(before - 2);
    expect(listing.entries.map(({ name }) => name)).toEqual(["empty", "hello.txt", "sub"]);
    const now = parseListing(await (await t.get("/files/")).text());
    expect(now.entries.map(({ name }) => name)).toContain("note.txt");
    const page = await (await t.get(`/files/?at=${before}`, { Accept: "text/html" })).text();
    expect(page).toContain(`/files/sub/?at=${before}`);
  });

  test("says where there was nothing, and where the log does not go", async () => {
    const missing = await t.get("/files/note.txt?at=0");
    expect([missing.status, await missing.json()]).toMatchObject([404, { code: "unknown-path" }]);
    const beyond = await t.get("/files/note.txt?at=100000");
    expect([beyond.status, await beyond.json()]).toMatchObject([404, { code: "unknown-record" }]);
    const wrong = await t.get("/files/note.txt?at=yesterday");
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { code: "invalid-request" }]);
  });

  test("says since when a content is not there any more", async () => {
    const { stateDirectory } = t.fileset;
    await using own = await openTestApp();
    expect(own.fileset.stateDirectory).not.toBe(stateDirectory);
    const peer = new TestPeer(own.fileset);
    const file = createFile("f");
    await peer.stage("gone");
    await peer.stage("here");
    await peer.push(file);
    const version = (): Recno => own.fileset.lookUp("/f")!.object.contentVersion as Recno;
    await peer.push(closeFile(file.oid, "gone", version(), "/f"));
    const at = own.fileset.headPosition.recno;
    const [replaced] = await peer.push(closeFile(file.oid, "here", version(), "/f"));
    await rm(join(own.fileset.stateDirectory, "objects", hashOf("gone")));
    const response = await own.get(`/files/f?at=${at}`);
    const problem = (await response.json()) as { detail: string };
    expect([response.status, problem]).toMatchObject([
      410,
      { code: "content-expired", data: { recno: replaced!.trace, sha256: hashOf("gone") } },
    ]);
    expect(problem.detail).toMatch(
      new RegExp(
        `behind record ${at}: record ${replaced!.trace} replaced or removed it at 2\\d{3}-`,
      ),
    );
    expect(response.headers.get("Cache-Control")).toBe("no-store");
  });

  test("is gone where the log was cut off", async () => {
    await using directory = await temporaryDirectory();
    await using fileset = await openTestExport(directory.dir, { segmentBytes: 1024 });
    const peer = new TestPeer(fileset);
    for (const name of "abcdefghijklmnop") await peer.push(createFile(name));
    const { oldestRecno } = await fileset.truncate({ before: 10 as Recno, isDryRun: false });
    expect(oldestRecno).toBeGreaterThan(2);
    const app = createApp({ filesets: [fileset] });
    const get = (query: string) => app.request(`/v1/filesets/rootfset/files/?at=${query}`);
    expect((await get(String(oldestRecno - 1))).status, "where it begins").toBe(200);
    for (const at of [String(oldestRecno - 2), "@2001-01-01T00:00:00Z"]) {
      const response = await get(at);
      expect([response.status, await response.json()]).toMatchObject([
        410,
        { code: "log-truncated", data: { oldest: oldestRecno } },
      ]);
    }
  });
});

test("GET /history/PATH and /history?oid= give records that read back, in pages", async () => {
  const byPath = parseHistoryResponse(await (await t.get("/history/note.txt")).text());
  expect(byPath.records.map(({ operation }) => operation.opcode)).toEqual([
    "CREATE",
    "CLOSE",
    "CLOSE",
  ]);
  const { oid } = byPath.holders[0]!;
  const page = parseHistoryResponse(await (await t.get(`/history?oid=${oid}&limit=2`)).text());
  expect(page).toEqual({ holders: [], records: byPath.records.slice(0, 2), next: before });
  expect((await t.get("/history")).status, "without either").toBe(400);
});

test("GET /blame/PATH names the last record of each entry, now and before", async () => {
  const entries = parseBlameResponse(await (await t.get("/blame/")).text());
  const note = entries.find(({ name }) => name === "note.txt");
  expect(note).toMatchObject({ recno: t.fileset.headPosition.recno, kind: "file" });
  expect(note!.record!.operation).toMatchObject({ opcode: "CLOSE", sha256: hashOf("new") });
  const then = parseBlameResponse(await (await t.get(`/blame?at=${before}`)).text());
  expect(then.find(({ name }) => name === "note.txt")).toMatchObject({ recno: before });
  expect((await t.get("/blame/note.txt")).status).toBe(404);
});

test("GET /tree?at=&against= sends rows that a snapshot's reader takes", async () => {
  const response = await t.get(`/tree?at=${before}&against=${t.fileset.headPosition.recno}`);
  const rows: SnapshotRow[] = [];
  for await (const row of parseSnapshotResponse(response.body!)) rows.push(row);
  expect(rows[0]).toMatchObject({ kind: "start", position: { recno: before } });
  const contents = rows.flatMap((row) => (row.kind === "object" ? [row.object.sha256] : []));
  expect(contents).toEqual([null, hashOf("old")]);
});
