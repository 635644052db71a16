import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HttpRemote } from "@izo/client";
import { type PeerId, type PeerStanding, startPosition } from "@izo/core";
import { type RunningServer, serve } from "@izo/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { EXIT } from "../output/exit-code.ts";
import { izoIn } from "../testing/izo-in.ts";

const PEER = "3f2a".padEnd(32, "0") as PeerId;

let directory: string;
let server: RunningServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "izo-peers-"));
  await writeFile(join(directory, "a"), "a");
  await writeFile(join(directory, "b"), "b");
  server = await serve({ directory, host: "127.0.0.1", port: 0, filesetName: "shared" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const izo = (...args: readonly string[]) => izoIn(directory, args);

/** A client that has replayed one record. */
async function poll(): Promise<void> {
  await using remote = new HttpRemote(server.url);
  const start = startPosition((await remote.profile()).id);
  const { last } = await remote.poll(start, { waitSeconds: 0, limitRecords: 1 });
  await remote.poll(last, { waitSeconds: 0, limitRecords: 1, peer: PEER });
}

async function standing(what: string): Promise<PeerStanding | undefined> {
  const { stdout } = await izo("peers", what, "--fileset", "shared", "--json");
  const { peers } = JSON.parse(stdout) as { peers: PeerStanding[] };
  return peers.find(({ peer }) => peer === PEER);
}

test("izo peers shows how far a peer is; izo peers forget ends keeping records for it until it is back", async () => {
  await poll();
  const head = server.fileset.headPosition.recno;
  const behind = { state: "behind", replayedRecno: 1, lagRecords: head - 1, isKeptFor: true };
  expect(await standing(server.url)).toMatchObject(behind);
  expect(await standing(directory)).toMatchObject(behind);
  const text = await izo("peers", server.url);
  expect(text.stdout).toMatch(/^3f2a0000 .* behind \* /m);

  const forgotten = await izo(
    "peers",
    "forget",
    directory,
    "3f2a",
    "--fileset",
    "shared",
    "--json",
  );
  expect(forgotten).toMatchObject({ status: EXIT.ok, stderr: "" });
  expect(JSON.parse(forgotten.stdout)).toMatchObject({ peer: PEER });
  expect(await standing(server.url)).toMatchObject({ state: "forgotten", isKeptFor: false });

  await poll();
  expect(await standing(server.url)).toMatchObject(behind);
});

test("izo peers forget names a peer that is none, and a server that does not run", async () => {
  const unknown = await izo("peers", "forget", directory, "ffff", "--fileset", "shared");
  expect(unknown.status).toBe(EXIT.failed);
  expect(unknown.stderr).toContain('Cannot find the peer "ffff": no peer has such an id');
  const silent = await izo("peers", "forget", directory, "3f2a", "--fileset", "other");
  expect(silent.status).toBe(EXIT.unreachable);
  expect(silent.stderr).toContain("nobody answers");
});
