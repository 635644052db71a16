// The two sides of the wire against each other; here, because neither package may import the other.
import { hash, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HttpRemote } from "@izo/client";
import {
  type ClientOperation,
  computeOriginCheck,
  MemoryState,
  type Name,
  type Oid,
  type PeerId,
  type Recno,
  type ReintegrateRequest,
  replay,
  ROOT_OID,
  type Sha256,
  type SnapshotRow,
  startPosition,
} from "@izo/core";
import { type RunningServer, serve } from "@izo/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type CuttingProxy, openCuttingProxy } from "./testing/cutting-proxy.ts";

const LARGE = Buffer.alloc(8 * 1024 * 1024, "a large content, ");
const NOTHING_RECEIVED = { recno: 0 as Recno, check: "0".repeat(16) };

let directory: string;
let server: RunningServer;
let proxy: CuttingProxy;
let remote: HttpRemote;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "izo-wire-"));
  await writeFile(join(directory, "large"), LARGE);
  for (let index = 0; index < 20; index += 1) {
    await writeFile(join(directory, `small-${index}`), `content ${index}`);
  }
  server = await serve({ directory, host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const newId = (): Oid & PeerId => randomUUID().replaceAll("-", "") as Oid & PeerId;

/** A push of one new, empty file. */
function pushOf(name: string): ReintegrateRequest {
  const peer = newId();
  const operation: ClientOperation = {
    opcode: "CREATE",
    oid: newId(),
    parent: ROOT_OID,
    name: name as Name,
    path: `/${name}`,
    mode: 0o644,
    uid: process.getuid!(),
    gid: process.getgid!(),
    mtimeNs: 1n,
    conflict: null,
  };
  const actor = { uid: 0, gid: 0, groups: [], command: "test" };
  const sent = { authorTimeNs: 1n, actor, operation, origin: { peer, recno: 1 as Recno } };
  const record = { ...sent, origin: { ...sent.origin, check: computeOriginCheck(sent) } };
  return { peer, host: "laptop", received: NOTHING_RECEIVED, records: [record], contents: [] };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function wholeLog(): Promise<Awaited<ReturnType<HttpRemote["poll"]>>> {
  const { id } = await remote.profile();
  return remote.poll(startPosition(id));
}

describe.each(["straight", "through a proxy that cuts"])("HttpRemote and a server, %s", (way) => {
  beforeAll(async () => {
    proxy = await openCuttingProxy(server.url);
    remote = new HttpRemote(way === "straight" ? server.url : proxy.url);
  });
  afterAll(async () => {
    await remote[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  test("[P1] a push whose answer is lost takes effect once", async () => {
    const name = `once-${way.length}`;
    const push = pushOf(name);
    proxy.cutAnswersAfter(0, 0);
    const expected =
      way === "straight" ? { results: [{ verdict: "applied" }] } : { code: "unreachable" };
    const lost = remote.push(push).catch((error: unknown) => error);
    expect(await lost).toMatchObject(expected);
    const { results } = await remote.push(push);
    expect(results).toMatchObject([{ verdict: "applied", originRecno: 1 }]);
    const { records } = await wholeLog();
    const traces = records.filter(({ origin }) => origin.peer === push.peer);
    expect(traces.map(({ recno }) => recno)).toEqual([results[0]!.trace]);
    expect(await readFile(join(directory, name), "utf8")).toBe("");
  });

  test("a waiting poll gets a record as soon as it is there", async () => {
    const { head } = await remote.profile();
    const waiting = remote.poll(head, { waitSeconds: 20 });
    const startMs = performance.now();
    await remote.push(pushOf(`woken-${way.length}`));
    const { records, last } = await waiting;
    expect(records.map(({ operation }) => operation.opcode)).toEqual(["CREATE"]);
    expect(last.recno).toBe(head.recno + 1);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  test("a snapshot is the replay of the log", async () => {
    const rows = await collect(remote.snapshot(newId()));
    const { records, last } = await wholeLog();
    const state = new MemoryState();
    let recno = 0 as Recno;
    for (const record of records) recno = replay(record, state, recno);
    expect(rows[0]).toMatchObject({ kind: "start", position: last });
    const objects = rows.filter(
      (row): row is Extract<SnapshotRow, { kind: "object" }> => row.kind === "object",
    );
    expect(
      objects.map(({ object }) => object).toSorted((a, b) => (a.oid < b.oid ? -1 : 1)),
    ).toEqual([...state.objects()].toSorted((a, b) => (a.oid < b.oid ? -1 : 1)));
  });

  test("a content arrives whole, wherever it is cut", async () => {
    const before = proxy.cutCount;
    proxy.cutAnswersAfter(1_000_000, 3_000_000, 500_000);
    // Of its own connections: one that is kept alive was not told to be cut.
    await using fresh = new HttpRemote(way === "straight" ? server.url : proxy.url);
    const { sizeBytes, bytes } = await fresh.fetchContent(hash("sha256", LARGE) as Sha256);
    expect(sizeBytes).toBe(LARGE.length);
    expect(Buffer.concat(await collect(bytes)).equals(LARGE)).toBe(true);
    expect(proxy.cutCount - before).toBe(way === "straight" ? 0 : 3);
  });

  test("a pack holds the small contents", async () => {
    const { head } = await remote.profile();
    const pack = await collect(remote.fetchPack(0 as Recno, head.recno));
    const texts = pack.map(({ bytes }) => Buffer.from(bytes).toString());
    for (let index = 0; index < 20; index += 1) expect(texts).toContain(`content ${index}`);
  });

  test("an upload is taken, and refused when its bytes are others", async () => {
    const content = Buffer.alloc(3_000_000, `upload ${way}, `);
    const sha256 = hash("sha256", content) as Sha256;
    const source = async function* (offset: number): AsyncGenerator<Uint8Array, void> {
      yield content.subarray(offset);
    };
    await remote.upload(sha256, content.length, source);
    expect(server.fileset.missingContents([sha256]).size).toBe(0);
    const other = hash("sha256", `other ${way}`) as Sha256;
    await expect(remote.upload(other, content.length, source)).rejects.toMatchObject({
      code: "wrong-hash",
      status: 422,
    });
  });

  test("the problems of the server keep their codes", async () => {
    const { head } = await remote.profile();
    const foreign = { ...head, hash: "ab".repeat(32) as Sha256 };
    await expect(remote.poll(foreign)).rejects.toMatchObject({ code: "log-diverged", status: 409 });
    await expect(remote.fetchContent("ab".repeat(32) as Sha256)).rejects.toMatchObject({
      code: "unknown-content",
    });
    await using lost = new HttpRemote(`${server.url}-of-nobody`);
    await expect(lost.profile()).rejects.toMatchObject({ code: "unknown-fileset", status: 404 });
  });

  test("the status names the peers that poll and push", async () => {
    const push = pushOf(`seen-${way.length}`);
    await remote.push(push);
    const { last } = await wholeLog();
    await remote.poll(last, { peer: push.peer });
    const { peers, headRecno } = await remote.status();
    expect(headRecno).toBe(last.recno);
    expect(peers.find(({ peer }) => peer === push.peer)).toMatchObject({
      receivedRecno: 1,
      replayedRecno: last.recno,
    });
  });
});
