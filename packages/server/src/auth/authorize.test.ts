import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  HEADERS,
  MEDIA_TYPES,
  type Name,
  ROOT_OID,
  writePermitRequest,
  writeReintegrateRequest,
} from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openapiDocument } from "../routes/openapi-document.ts";
import { openTestAccess, type TestAccess } from "../testing/test-access.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../testing/test-peer.ts";

let t: TestApp;
let tokenDir = "";
let door: TestAccess;
beforeEach(async () => {
  t = await openTestApp();
  tokenDir = mkdtempSync(join(tmpdir(), "izo-tokens-"));
  door = openTestAccess(t.fileset, tokenDir);
  // From the first token on tokens are required.
  door.create({ name: "somebody" });
});
afterEach(async () => {
  door[Symbol.dispose]();
  rmSync(tokenDir, { recursive: true });
  await t[Symbol.asyncDispose]();
});

interface Asked {
  readonly method: string;
  readonly url: string;
}

/** Values that exist and values that do not, for the parameters of every documented path. */
const VALUES = [
  { fileset: "rootfset", path: "sub", first: "1", recno: "1", sha256: "ab".repeat(32) },
  { fileset: "other", path: "none", first: "77", recno: "77", sha256: "cd".repeat(32) },
];

/** Every operation of the OpenAPI document: a new route cannot be forgotten here. */
function documented(isOpen: boolean): Asked[] {
  return Object.entries(openapiDocument().paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => "security" in (operation as object) === isOpen)
      .flatMap(([method]) =>
        VALUES.map((values) => ({
          method: method.toUpperCase(),
          url: path.replaceAll(
            /\{(\w+)\}/g,
            (_, name: string) => values[name as keyof typeof values],
          ),
        })),
      ),
  );
}

/** What holds no content, as this test sees it: a new route is none of the log before it is named here. */
const OF_LOG =
  /^\/(metrics|v1\/openapi\.json|v1\/filesets(\/\w+\/(profile|status|peers|conflicts|kml(\/.*)?|snapshot|events|tree|history(\/.*)?|blame(\/.*)?))?)?$/;

/** What an answer says, without what differs between any two. */
async function said(response: Response): Promise<{ readonly body: string }> {
  const headers = Object.fromEntries(response.headers);
  delete headers["izo-request-id"];
  const answer = { status: response.status, headers, body: await response.text() };
  return answer;
}

function challenge({ status, headers }: Response): Record<string, unknown> {
  return {
    status,
    challenge: headers.get("WWW-Authenticate"),
    type: headers.get("Content-Type"),
  };
}

const ask = (asked: Asked, token: string): Promise<Response> =>
  door.request(asked.url, token, { method: asked.method });

describe("authorize()", () => {
  test("refuses wrong, expired and revoked tokens on every route, and says the same of all", async () => {
    const expired = door.create({ access: "write", expiresMs: Date.now() + 1_000 });
    const revoked = door.create({ access: "write", name: "gone" });
    const valid = door.create({ access: "write" });
    door.revoke("gone");
    door.addTime(2_000);
    const wrong = `${valid.slice(0, -1)}${valid.endsWith("A") ? "B" : "A"}`;
    const cases = [
      { token: expired, code: "token-expired" },
      { token: revoked, code: "token-invalid" },
      { token: wrong, code: "token-invalid" },
      { token: "nonsense", code: "token-invalid" },
    ];
    const urls = [...documented(false), { method: "GET", url: "/v1/nothing" }];
    expect(urls.length).toBeGreaterThan(40);
    for (const { token, code } of cases) {
      const answers = new Map<string, Set<string>>();
      for (const asked of urls) {
        const response = await ask(asked, token);
        const what = `${asked.method} ${asked.url} with ${code}`;
        expect({ what, ...challenge(response) }).toEqual({
          what,
          status: 401,
          challenge: 'Bearer realm="izo"',
          type: "application/problem+json",
        });
        const isBodyless = asked.method === "HEAD";
        const answer = await said(response);
        expect(isBodyless || answer.body.includes(`"code":"${code}"`)).toBe(true);
        const speaksProtocol = asked.url.startsWith("/v1") || asked.url === "/metrics";
        const key = `${isBodyless} ${speaksProtocol}`;
        answers.set(key, (answers.get(key) ?? new Set()).add(JSON.stringify(answer)));
      }
      for (const different of answers.values()) expect(different.size).toBe(1);
    }
  });

  test("asks for a token on every route but those that are open", async () => {
    for (const { method, url } of documented(false)) {
      const response = await door.app.request(url, { method });
      expect([method, url, response.status]).toEqual([method, url, 401]);
      if (method === "HEAD") continue;
      expect(await response.json()).toMatchObject({ code: "token-required" });
    }
    const open = documented(true).map(({ method, url }) => `${method} ${url}`);
    expect([...new Set(open)].toSorted()).toEqual([
      "GET /healthz",
      "GET /login",
      "POST /login",
      "POST /logout",
    ]);
    expect(await (await door.app.request("/healthz")).json()).toEqual({ status: "ok" });
  });

  test("keeps a token for the log from contents and changes, and a token to read from changes", async () => {
    const log = door.create({ access: "log" });
    const read = door.create({ access: "read" });
    for (const asked of documented(false)) {
      const isChange = asked.method !== "GET" && asked.method !== "HEAD";
      const isOfLog = OF_LOG.test(asked.url);
      const what = `${asked.method} ${asked.url}`;
      const isRefused = async (token: string): Promise<boolean> =>
        (await ask(asked, token)).status === 403;
      expect({ what, log: await isRefused(log), read: await isRefused(read) }).toEqual({
        what,
        log: isChange || !isOfLog,
        read: isChange,
      });
    }
  });

  test("shows a token with a path the files below it, and nothing else, whether it exists or not", async () => {
    const token = door.create({ access: "read", path: "/sub" });
    const get = (url: string) => door.request(url, token);
    const files = "/v1/filesets/rootfset/files";
    expect((await get(`${files}/sub`)).status).toBe(200);
    expect((await get(`${files}/sub/a%20%3Cb%3E.bin`)).status).toBe(200);
    expect((await get(`${files}/sub/none`)).status).toBe(404);
    for (const path of ["", "/", "/hello.txt", "/none", "/subway", "/sub%2F..%2Fhello.txt"]) {
      const { status } = await get(files + path);
      expect([path, status === 400 || status === 403]).toEqual([path, true]);
    }
    const allowed = new Set(["/v1/filesets", "/v1/openapi.json", `${files}/sub`]);
    for (const asked of documented(false)) {
      if (allowed.has(asked.url) || asked.url.startsWith("/v1/filesets/other/files")) continue;
      const { status } = await ask(asked, token);
      expect({ ...asked, status }).toEqual({ ...asked, status: 403 });
    }
  });

  test("ends what a token waits for when it is revoked", async () => {
    const token = door.create({ name: "waiting" });
    const { recno, hash } = t.fileset.headPosition;
    const url = `/v1/filesets/rootfset/kml?after=${recno}/${hash}&wait=50`;
    const polling = door.request(url, token);
    door.revoke("waiting");
    const response = await polling;
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: "token-invalid" });
  });

  test("lets no shared cache keep what only a token opens", async () => {
    const token = door.create({ access: "read" });
    const { sha256 } = (await (
      await door.request("/v1/filesets/rootfset/files/sub", token)
    ).json()) as { sha256?: string };
    expect(sha256).toBeUndefined();
    const entry = t.fileset.lookUp("/hello.txt")!.object;
    const url = `/v1/filesets/rootfset/content/${entry.sha256}`;
    const response = await door.request(url, token);
    expect(response.headers.get("Cache-Control")).toBe("private, max-age=31536000, immutable");
    await response.body?.cancel();
  });
});

function push(peer: TestPeer, token: string, name = "made"): Promise<Response> {
  const record = peer.record(createFile(name));
  const head = { peer: peer.peer, host: "laptop", received: { recno: 0, check: "0".repeat(16) } };
  const body = writeReintegrateRequest({
    ...head,
    permits: [],
    records: [record],
    contents: [],
  } as never);
  return door.request("/v1/filesets/rootfset/reintegrate", token, { method: "POST", body });
}

test("a token for the log gets no contents along with it", async () => {
  const content = "for readers";
  const peer = new TestPeer(t.fileset);
  const file = createFile("read");
  const { recno, hash } = t.fileset.headPosition;
  await peer.stage(content);
  await peer.push(file, closeFile(file.oid, content, { peer: peer.peer, recno: 1 as never }));
  const typeFor = async (access: "log" | "read"): Promise<string | null> => {
    const url = `/v1/filesets/rootfset/kml?after=${recno}/${hash}`;
    const headers = { [HEADERS.contents]: "4096" };
    const response = await door.request(url, door.create({ access }), { headers });
    return response.headers.get("Content-Type");
  };
  expect(await typeFor("read")).toBe(MEDIA_TYPES.kmlWithContents);
  expect(await typeFor("log")).toBe(MEDIA_TYPES.kml);
});

describe("a peer", () => {
  test("belongs to the holder of the token that used it first, on every route that names one", async () => {
    const mine = door.create({ access: "write", name: "mine" });
    const theirs = door.create({ access: "write", name: "theirs" });
    const peer = new TestPeer(t.fileset);
    expect((await push(peer, mine)).status).toBe(200);
    const { recno, hash } = t.fileset.headPosition;
    const base = "/v1/filesets/rootfset";
    const polled = (token: string) =>
      door.request(`${base}/kml?after=${recno}/${hash}`, token, {
        headers: { "Izo-Peer": `${peer.peer} laptop` },
      });
    const attempts = [
      () => push(peer, theirs, "other"),
      () => polled(theirs),
      () => door.request(`${base}/snapshot?peer=${peer.peer}`, theirs),
      () =>
        door.request(`${base}/permit`, theirs, {
          method: "POST",
          body: writePermitRequest({
            action: "take",
            peer: peer.peer,
            host: "x",
            oid: ROOT_OID,
            waitSeconds: 0,
          }),
        }),
    ];
    for (const attempt of attempts) {
      const response = await attempt();
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: "peer-taken" });
    }
    expect(t.fileset.lookUp("/other")).toBeNull();
    expect((await polled(mine)).status).toBe(200);
    // A new token of the same holder goes on.
    const renewed = door.create({ access: "write", name: "mine" });
    expect((await polled(renewed)).status).toBe(200);
  });
});

describe("a token to write below a path", () => {
  test("takes a push whole, or nothing of it", async () => {
    const send = (...operations: Parameters<TestPeer["push"]>) => {
      const peer = new TestPeer(t.fileset);
      const records = operations.map((operation) => peer.record(operation));
      const received = { recno: 0 as never, check: "0".repeat(16) };
      return t.fileset.reintegrate({
        peer: peer.peer,
        host: "laptop",
        received,
        records,
        below: "/sub",
      });
    };
    const sub = t.fileset.lookUp("/sub")!.object.oid;
    const inside = t.fileset.lookUp("/sub/a <b>.bin")!.object;
    const outside = t.fileset.lookUp("/hello.txt")!.object;
    await new TestPeer(t.fileset).stage("changed");

    const made = makeDirectory("made", undefined, sub);
    await send(made, createFile("in it", undefined, made.oid));
    await send(closeFile(inside.oid, "changed", inside.contentVersion));
    expect(t.fileset.lookUp("/sub/made/in it")).not.toBeNull();

    const head = t.fileset.headPosition.recno;
    const refused = [
      [createFile("fine", undefined, sub), createFile("not here")],
      [closeFile(outside.oid, "changed", outside.contentVersion)],
      // An id that means something elsewhere, as if it were made here.
      [
        createFile("mine", outside.oid, sub),
        closeFile(outside.oid, "changed", outside.contentVersion),
      ],
      [
        {
          opcode: "LINK",
          oid: outside.oid,
          parent: sub,
          name: "l" as Name,
          path: "/",
          conflict: null,
        },
      ],
      [
        {
          opcode: "RENAME",
          oid: inside.oid,
          contentBase: inside.contentVersion,
          fromParent: sub,
          fromName: "a <b>.bin" as Name,
          fromPath: "/",
          fromBase: 0 as never,
          toParent: ROOT_OID,
          toName: "out" as Name,
          toPath: "/",
          victim: null,
          keepsOid: false,
          conflict: null,
        },
      ],
    ] as Parameters<TestPeer["push"]>[];
    for (const operations of refused) {
      await expect(send(...operations)).rejects.toMatchObject({ code: "out-of-scope" });
    }
    expect(t.fileset.headPosition.recno).toBe(head);
    expect(t.fileset.lookUp("/sub/fine")).toBeNull();
  });
});
