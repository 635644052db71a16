import { hash } from "node:crypto";

import {
  formatPosition,
  MAX_PUSH_BYTES,
  type Name,
  type Oid,
  parseContentPackResponse,
  parsePermitResponse,
  parsePermitsResponse,
  parsePollResponse,
  parsePosition,
  parseReintegrateResponse,
  parseSnapshotResponse,
  type PeerId,
  type PermitRequest,
  type Position,
  type Recno,
  ROOT_OID,
  type Sha256,
  startPosition,
  writePermitRequest,
  writeReintegrateRequest,
} from "@izo/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../testing/test-peer.ts";

const HELLO = "hello, world\n";
const HELLO_SHA256 = hash("sha256", HELLO) as Sha256;
const UNKNOWN_SHA256 = "ab".repeat(32);

let t: TestApp;
beforeAll(async () => {
  t = await openTestApp();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

const bytesOf = async (response: Response): Promise<Uint8Array> =>
  new Uint8Array(await response.arrayBuffer());
const start = (): Position => startPosition(t.fileset.filesetId);

const put = async (
  content: string,
  headers: Record<string, string> = {},
  sha256 = hash("sha256", content),
  body = content,
): Promise<Response> =>
  t.app.request(`/v1/filesets/rootfset/content/${sha256}`, {
    method: "PUT",
    body,
    headers: { "Content-Length": String(Buffer.byteLength(body)), ...headers },
  });

const post = async (body: Uint8Array<ArrayBuffer>): Promise<Response> =>
  t.app.request("/v1/filesets/rootfset/reintegrate", { method: "POST", body });

const permit = async (request: PermitRequest | string): Promise<Response> =>
  t.app.request("/v1/filesets/rootfset/permit", {
    method: "POST",
    body: typeof request === "string" ? request : writePermitRequest(request),
  });

describe("POST /permit", () => {
  const peer = "a".repeat(32) as PeerId;
  const take = { action: "take", peer, host: "h", oid: ROOT_OID, waitSeconds: 0 } as const;

  test("grants, lists and takes back", async () => {
    const lease = parsePermitResponse(await (await permit(take)).text())!;
    const held = await permit({ ...take, peer: "b".repeat(32) as PeerId });
    expect(held.status).toBe(409);
    expect(await held.json()).toMatchObject({
      code: "permit-held",
      data: { host: "h", path: "/" },
    });
    const listed = parsePermitsResponse(await (await t.get("/permit")).text());
    expect(listed).toMatchObject([{ peer, host: "h", path: "/", epoch: lease.epoch }]);
    const fence = { oid: lease.oid, epoch: lease.epoch };
    const returned = await permit({ action: "hand-back", peer, ...fence });
    expect(parsePermitResponse(await returned.text())).toBeNull();
    const late = await permit({ action: "renew", peer, ...fence, waitSeconds: 0 });
    expect([late.status, await late.json()]).toMatchObject([409, { code: "permit-passed-on" }]);
  });

  test.each([
    { description: "what is no JSON", body: "{", status: 400, code: "invalid-request" },
    {
      description: "an unknown directory",
      body: writePermitRequest({ ...take, oid: "a".repeat(32) as Oid }),
      status: 404,
      code: "unknown-directory",
    },
    { description: "a long request", body: " ".repeat(5000), status: 413, code: "too-large" },
  ])("refuses $description", async ({ body, status, code }) => {
    const response = await permit(body);
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
  });
});

describe("GET /kml", () => {
  test("gives the records behind a position, with the head", async () => {
    const response = await t.get(`/kml?after=${formatPosition(start())}`);
    expect(response.status).toBe(200);
    const head = parsePosition(response.headers.get("Izo-Head")!);
    const { records, last } = parsePollResponse(await bytesOf(response), start(), head);
    expect(last).toEqual(t.fileset.headPosition);
    expect(records.map(({ operation }) => operation.opcode)).toContain("CLOSE");
  });

  test("gives as many as are asked for, and goes on behind them", async () => {
    const first = await t.get(`/kml?after=${formatPosition(start())}&limit=1`);
    const head = parsePosition(first.headers.get("Izo-Head")!);
    const one = parsePollResponse(await bytesOf(first), start(), head);
    expect(one.records).toHaveLength(1);
    const next = await t.get(`/kml?after=${formatPosition(one.last)}&limit=1`);
    const two = parsePollResponse(await bytesOf(next), one.last, head);
    expect(two.records[0]!.recno).toBe(2);
  });

  test("gives NDJSON when that is asked for", async () => {
    const response = await t.get(`/kml?after=${formatPosition(start())}`, {
      Accept: "application/x-ndjson",
    });
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { recno: number }).recno)).toEqual(
      lines.map((_, index) => index + 1),
    );
  });

  test("answers a waiting poll when a record comes", async () => {
    const after = t.fileset.headPosition;
    const waiting = t.get(`/kml?after=${formatPosition(after)}&wait=15`);
    const startMs = performance.now();
    await new TestPeer(t.fileset).push(createFile("woken"));
    const response = await waiting;
    const head = parsePosition(response.headers.get("Izo-Head")!);
    const { records } = parsePollResponse(await bytesOf(response), after, head);
    expect(records.map(({ operation }) => operation.opcode)).toEqual(["CREATE"]);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test("answers without records when the wait is over", async () => {
    const after = formatPosition(t.fileset.headPosition);
    const response = await t.get(`/kml?after=${after}&wait=0.05`);
    expect(response.status).toBe(200);
    expect(await bytesOf(response)).toHaveLength(0);
  });

  test("notes who polls", async () => {
    const { peer } = new TestPeer(t.fileset);
    const after = formatPosition(t.fileset.headPosition);
    await t.get(`/kml?after=${after}`, { "Izo-Peer": `${peer} my%20host` });
    expect(t.fileset.status().peers).toContainEqual(
      expect.objectContaining({
        peer,
        host: "my host",
        replayedRecno: t.fileset.headPosition.recno,
      }),
    );
  });
});

test("GET /snapshot gives the whole tree at the head", async () => {
  const { body } = await t.get(`/snapshot?peer=${new TestPeer(t.fileset).peer}`);
  const rows = [];
  for await (const row of parseSnapshotResponse(body!)) rows.push(row);
  expect(rows[0]).toMatchObject({ kind: "start", position: t.fileset.headPosition });
  const names = rows.flatMap((row) => (row.kind === "entry" ? [row.entry.name] : []));
  expect(names).toEqual(expect.arrayContaining(["hello.txt", "sub", "a <b>.bin", "empty"]));
});

test("GET /snapshot gives what was merged and what was removed in the order that clients insist on", async () => {
  const peer = new TestPeer(t.fileset);
  const base = { peer: peer.peer, recno: peer.nextRecno };
  const gone = createFile("gone");
  const place = { oid: gone.oid, parent: ROOT_OID, name: "gone" as Name, path: "/gone" };
  const bases = { nameBase: base, contentBase: base, isLastName: true };
  await peer.push(gone, { opcode: "UNLINK", ...place, ...bases }, makeDirectory("sub"));
  const { body } = await t.get(`/snapshot?peer=${peer.peer}`);
  const kinds = new Set<string>();
  for await (const { kind } of parseSnapshotResponse(body!)) kinds.add(kind);
  expect([...kinds].slice(-4)).toEqual(["alias", "tombstone", "outcome", "end"]);
});

describe("GET /content", () => {
  test("gives a content that any cache may keep", async () => {
    const response = await t.get(`/content/${HELLO_SHA256}`);
    expect(await response.text()).toBe(HELLO);
    expect(response.headers.get("ETag")).toBe(`"${HELLO_SHA256}"`);
    expect(response.headers.get("Cache-Control")).toContain("immutable");
  });

  test.each([
    { description: "a range", headers: { Range: "bytes=7-11" }, status: 206, body: "world" },
    {
      description: "a range of the same content",
      headers: { Range: "bytes=7-", "If-Range": `"${HELLO_SHA256}"` },
      status: 206,
      body: "world\n",
    },
    {
      description: "a range of another content, ignored",
      headers: { Range: "bytes=7-", "If-Range": '"x"' },
      status: 200,
      body: HELLO,
    },
    {
      description: "what the client has",
      headers: { "If-None-Match": `W/"x", "${HELLO_SHA256}"` },
      status: 304,
      body: "",
    },
  ])("answers $description with $status", async ({ headers, status, body }) => {
    const response = await t.get(`/content/${HELLO_SHA256}`, headers);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(body);
  });
});

test("GET /content-pack gives the small contents of a range of the log", async () => {
  const until = t.fileset.headPosition.recno;
  const body = await bytesOf(await t.get(`/content-pack?after=0&until=${until}`));
  expect(Buffer.from(body).includes(HELLO)).toBe(true);
  expect(body.length).toBeLessThan(65_536);
});

test("GET /content-pack gives what is left of a part that was cut off the log", async () => {
  await using own = await openTestApp();
  const peer = new TestPeer(own.fileset);
  const create = createFile("replaced");
  await peer.push(create);
  for (const text of ["before", "after"]) {
    await peer.stage(text);
    const { contentVersion } = own.fileset.lookUp("/replaced")!.object;
    await peer.push(closeFile(create.oid, text, contentVersion, "/replaced"));
  }
  const cutAt = own.fileset.headPosition.recno;
  await own.fileset.truncate({ olderThanMs: 0, isDryRun: false });
  await peer.stage("later");
  const later = createFile("later");
  await peer.push(later);
  const { contentVersion } = own.fileset.lookUp("/later")!.object;
  await peer.push(closeFile(later.oid, "later", contentVersion, "/later"));
  const until = own.fileset.headPosition.recno;
  const textsOf = async (after: number) => {
    const body = await bytesOf(await own.get(`/content-pack?after=${after}&until=${until}`));
    const texts: string[] = [];
    const chunks = (async function* () {
      yield body;
    })();
    for await (const { bytes } of parseContentPackResponse(chunks)) {
      texts.push(Buffer.from(bytes).toString());
    }
    return texts.toSorted();
  };
  expect(await textsOf(0)).toEqual(["after", "hello, world\n", "later"]);
  expect(await textsOf(cutAt)).toEqual(["later"]);
});

describe("PUT /content", () => {
  test("takes a content in two parts, and says how far it is in between", async () => {
    const content = "first half, second half";
    const sha256 = hash("sha256", content);
    const total = { "Upload-Length": String(content.length) };
    const first = await put(content, total, sha256, content.slice(0, 10));
    expect(first.status).toBe(202);
    const head = await t.app.request(`/v1/filesets/rootfset/content/${sha256}`, { method: "HEAD" });
    expect(head.headers.get("Upload-Offset")).toBe("10");
    expect(head.headers.get("Upload-Complete")).toBe("?0");
    const rest = await put(content, { ...total, "Upload-Offset": "10" }, sha256, content.slice(10));
    expect(rest.status).toBe(201);
    expect(rest.headers.get("Upload-Complete")).toBe("?1");
    expect(t.fileset.missingContents([sha256 as Sha256]).size).toBe(0);
  });

  test("refuses bytes that do not have the hash", async () => {
    const response = await put("these bytes", {}, hash("sha256", "other bytes"));
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "wrong-hash" });
  });

  test("refuses to go on where it did not end", async () => {
    const response = await put("a new one", { "Upload-Offset": "5", "Upload-Length": "14" });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "upload-offset" });
  });
});

describe("POST /reintegrate", () => {
  const received = { recno: 0 as Recno, check: "0".repeat(16) };

  test("takes records with their content inline", async () => {
    const peer = new TestPeer(t.fileset);
    const create = createFile("pushed.txt");
    const content = Buffer.from("pushed");
    const own = { peer: peer.peer, recno: 1 as Recno };
    const records = [peer.record(create), peer.record(closeFile(create.oid, "pushed", own))];
    const contents = [{ sha256: hash("sha256", content) as Sha256, bytes: content }];
    const push = { peer: peer.peer, host: "laptop", received, records, contents };
    const response = await post(writeReintegrateRequest(push));
    expect(response.status).toBe(200);
    const { results } = parseReintegrateResponse(await response.text(), push);
    expect(results.map(({ verdict }) => verdict)).toEqual(["applied", "applied"]);
    expect(await (await t.get("/files/pushed.txt")).text()).toBe("pushed");
  });

  test("names the contents that are missing", async () => {
    const peer = new TestPeer(t.fileset);
    const create = createFile("lacking.txt");
    const own = { peer: peer.peer, recno: 1 as Recno };
    const records = [peer.record(create), peer.record(closeFile(create.oid, "lacking", own))];
    const push = { peer: peer.peer, host: "laptop", received, records, contents: [] };
    const response = await post(writeReintegrateRequest(push));
    expect(response.status).toBe(409);
    const missing = [hash("sha256", "lacking")];
    expect(await response.json()).toMatchObject({ code: "content-missing", data: { missing } });
  });

  test("[P2] refuses a peer that the log knows otherwise", async () => {
    const { peer } = new TestPeer(t.fileset);
    const unknown = { recno: 7 as Recno, check: "12".repeat(8) };
    const push = { peer, host: "laptop", received: unknown, records: [], contents: [] };
    const response = await post(writeReintegrateRequest(push));
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "peer-diverged" });
  });

  test.each([
    {
      description: "bytes that are no batch",
      body: new Uint8Array(100),
      status: 400,
      code: "invalid-batch",
    },
    {
      description: "more than fits",
      body: new Uint8Array(MAX_PUSH_BYTES + 1),
      status: 413,
      code: "too-large",
    },
  ])("refuses $description", async ({ body, status, code }) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });
});

describe("GET /files", () => {
  test("gives a file with its type, kept from acting in the server's name", async () => {
    const response = await t.get("/files/hello.txt");
    expect(await response.text()).toBe(HELLO);
    expect(response.headers.get("Content-Type")).toContain("text/plain");
    expect(response.headers.get("Content-Security-Policy")).toBe("sandbox");
  });

  test("gives an empty file", async () => {
    const response = await t.get("/files/empty");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  test("lists a directory as JSON, and as a page in which names are only text", async () => {
    const json = (await (await t.get("/files/sub")).json()) as { entries: { name: string }[] };
    expect(json.entries.map(({ name }) => name)).toEqual(["a <b>.bin"]);
    const page = await (await t.get("/files/sub/", { Accept: "text/html" })).text();
    expect(page).toContain("a &lt;b&gt;.bin");
    expect(page).toContain('href="/v1/filesets/rootfset/files/sub/a%20%3Cb%3E.bin"');
  });
});

const positions = {
  unknown: () =>
    `/kml?after=${formatPosition({ ...t.fileset.headPosition, hash: UNKNOWN_SHA256 as Sha256 })}`,
  beyond: () =>
    `/kml?after=${formatPosition({ ...t.fileset.headPosition, recno: 99_999 as Recno })}`,
};

describe("problems [P4]", () => {
  test.each([
    { path: () => "/kml", status: 400, code: "invalid-request" },
    { path: () => "/kml?after=41", status: 400, code: "invalid-position" },
    { path: positions.unknown, status: 409, code: "log-diverged" },
    { path: positions.beyond, status: 409, code: "log-diverged" },
    { path: () => `/content/${UNKNOWN_SHA256}`, status: 404, code: "unknown-content" },
    { path: () => "/content/abc", status: 400, code: "invalid-request" },
    { path: () => "/kml/segments/77", status: 404, code: "unknown-segment" },
    { path: () => "/content-pack?after=0&until=99999", status: 400, code: "invalid-request" },
    { path: () => "/content-pack?after=2&until=1", status: 400, code: "invalid-request" },
    { path: () => "/snapshot?peer=me", status: 400, code: "invalid-request" },
    { path: () => "/files/nothing", status: 404, code: "unknown-path" },
    { path: () => "/files/..%2f..%2fetc", status: 400, code: "invalid-name" },
    { path: () => "/files/a%00b", status: 400, code: "invalid-name" },
    { path: () => "/files/.intermezzo", status: 404, code: "unknown-path" },
    { path: () => "/files/hello.txt?version=3", status: 400, code: "invalid-request" },
    { path: () => "/nothing", status: 404, code: "unknown-route" },
  ])("$path gives $code", async ({ path, status, code }) => {
    const response = await t.get(path());
    expect(response.status).toBe(status);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ code, status });
  });

  test("name the fileset that is not there, and those that are", async () => {
    const response = await t.app.request("/v1/filesets/other/profile");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: "unknown-fileset",
      data: { filesets: ["rootfset"] },
    });
  });

  test("refuse another protocol version and name both", async () => {
    const response = await t.get("/profile", { "Izo-Protocol": "2" });
    expect(response.status).toBe(400);
    expect(response.headers.get("Izo-Protocol")).toBe("1");
    expect(await response.json()).toMatchObject({
      code: "protocol-version",
      data: { client: "2", server: "1" },
    });
  });
});

test("every answer carries its request's id", async () => {
  const given = await t.get("/profile", { "Izo-Request-Id": "abc-1" });
  expect(given.headers.get("Izo-Request-Id")).toBe("abc-1");
  const hostile = await t.get("/nothing", { "Izo-Request-Id": "a b" });
  expect(hostile.headers.get("Izo-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
});

test("GET /metrics counts what happened", async () => {
  const text = await (await t.app.request("/metrics")).text();
  expect(text).toContain(`izo_head_recno{fileset="rootfset"} ${t.fileset.headPosition.recno}`);
  expect(text).toMatch(/^izo_served_bytes_total [1-9]/m);
  expect(text).toContain("izo_polls_waiting 0");
  const kml = 'method="GET",route="/v1/filesets/:fileset/kml"';
  expect(text).toMatch(
    new RegExp(`^izo_http_request_duration_seconds_bucket\\{${kml},le="\\+Inf"\\} [1-9]`, "m"),
  );
  expect(text).toMatch(
    /^izo_peer_lag_records\{fileset="rootfset",peer="[0-9a-f]{32}",host=".*"\}/m,
  );
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  expect(new Set(names.map(([, name]) => name)).size).toBe(names.length);
  for (const [, name, type] of names) expect(name!.endsWith("_total")).toBe(type === "counter");
});
