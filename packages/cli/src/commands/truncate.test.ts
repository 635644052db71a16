import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HttpRemote } from "@izo/client";
import { type PeerId, type Recno, startPosition } from "@izo/core";
import { type RunningServer, serve } from "@izo/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { EXIT } from "../output/exit-code.ts";
import { izoIn } from "../testing/izo-in.ts";

const PEER = "3f2a".padEnd(32, "0") as PeerId;

let directory: string;
let server: RunningServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "izo-truncate-"));
  await writeFile(join(directory, "a"), "a");
  server = await serve({ directory, host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const izo = (...args: readonly string[]) => izoIn(directory, args);

test("izo truncate says what would go, names the peer that needs it, and cuts once that is forgotten", async () => {
  const head = server.fileset.headPosition.recno;
  const dryRun = await izo("truncate", directory, "--older-than", "0s", "--dry-run");
  expect(dryRun).toMatchObject({ status: EXIT.ok, stderr: "" });
  expect(dryRun.stdout).toMatch(
    /^3 records \(.*\) would be cut off; the log would begin at record 4\n$/,
  );
  {
    await using remote = new HttpRemote(server.url);
    const start = startPosition((await remote.profile()).id);
    const { last } = await remote.poll(start, { waitSeconds: 0, limitRecords: 1 });
    await remote.poll(last, { waitSeconds: 0, peer: PEER });
  }
  const held = await izo("truncate", directory, "--before", String(head), "--dry-run");
  expect(held.stdout).toContain("0 records");
  const waiting = await izo("truncate", directory, "--older-than", "0s");
  expect(waiting.stdout).toContain("more is kept for the peer 3f2a0000");
  await izo("peers", "forget", directory, "3f2a");
  const cut = await izo("truncate", directory, "--older-than", "0s", "--json");
  expect(JSON.parse(cut.stdout)).toMatchObject({ oldestRecno: head + 1, heldBy: null });
  expect(server.fileset.oldestRecno).toBe(head + 1);
});

test("izo log begins where the log does, and says what was cut off", async () => {
  const { oldestRecno } = server.fileset;
  await writeFile(join(directory, "b"), "b");
  await server.fileset.waitForRecno((oldestRecno + 1) as Recno, 10_000);
  const head = server.fileset.headPosition.recno;
  for (const what of [server.url, join(directory, ".intermezzo/rootfset")]) {
    const whole = await izo("log", what, "--json");
    expect(whole).toMatchObject({
      status: EXIT.ok,
      stderr: `warning: records 1 to ${oldestRecno - 1} were cut off the log\n`,
    });
    const recnos = whole.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { recno: number }).recno);
    expect(recnos[0]).toBe(oldestRecno);
    expect(recnos.at(-1)).toBe(head);
    const last = await izo("log", what, "--last", "1", "--json");
    expect(JSON.parse(last.stdout)).toMatchObject({ recno: head });
    expect(last.stderr).toBe("");
    expect(await izo("log", what, "--after", String(head + 5))).toMatchObject({ stdout: "" });
    const cutOff = await izo("log", what, "--after", "1");
    expect(cutOff.status).toBe(EXIT.failed);
    expect(cutOff.stderr).toContain("start at a later one with --after");
  }
});

test("a server names no place beyond its head", async () => {
  await using remote = new HttpRemote(server.url);
  const { recno, hash } = server.fileset.headPosition;
  expect(await remote.positionAt(recno)).toEqual({ recno, hash });
  await expect(remote.positionAt((recno + 1) as Recno)).rejects.toMatchObject({
    code: "unknown-record",
  });
});

test("izo truncate refuses both limits at once, and a server that does not run", async () => {
  const both = await izo("truncate", directory, "--before", "1", "--older-than", "1d");
  expect(both.status).toBe(EXIT.usage);
  const silent = await izo("truncate", directory, "--fileset", "other");
  expect(silent.status).toBe(EXIT.unreachable);
});
