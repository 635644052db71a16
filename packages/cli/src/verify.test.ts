import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openExport } from "@izo/server";
import { afterEach, beforeEach, expect, test } from "vitest";

import { EXIT } from "./output/exit-code.ts";
import { izoIn } from "./testing/izo-in.ts";

let directory = "";
const izo = (...args: string[]) => izoIn(directory, args);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "izo-cli-"));
  writeFileSync(join(directory, "a"), "a");
  await (await openExport({ dir: directory }))[Symbol.asyncDispose]();
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test("izo verify says that all agree, or what differs and since which record", async () => {
  const sound = await izo("verify", directory);
  expect(sound).toMatchObject({ status: EXIT.ok, stderr: "" });
  expect(sound.stdout).toMatch(/^records 1 to \d+, 1 names, 1 B: all agree\n$/);

  writeFileSync(join(directory, "a"), "edited");
  const { status, stdout, stderr } = await izo("verify", directory);
  expect(status).toBe(EXIT.failed);
  expect(stdout).toMatch(/^unlogged: \/a \(log and tree, since record \d+\): sizeBytes 6, not 1\n/);
  expect(stderr).toContain("1 place differs");
  const json = await izo("verify", directory, "--json", "--quick");
  expect(JSON.parse(json.stdout)).toMatchObject({
    differences: [{ path: "/a", cause: "unlogged" }],
  });
});

test("izo verify tells a damaged log from all else by its exit status", async () => {
  writeFileSync(join(directory, ".intermezzo/rootfset/kml/0000000000000001.kml"), "x".repeat(500));
  const { status, stdout } = await izo("verify", directory);
  expect(status).toBe(EXIT.damaged);
  expect(stdout).toMatch(/^damaged: kml\//);
});

test("izo verify and izo reindex say that a directory was never served", async () => {
  for (const command of ["verify", "reindex"]) {
    const { status, stderr } = await izo(command, join(directory, ".."));
    expect(status).toBe(EXIT.failed);
    expect(stderr).toContain('no fileset "rootfset" was ever served from it');
  }
});

test("izo reindex makes the index anew and keeps the old one", async () => {
  writeFileSync(join(directory, ".intermezzo/rootfset/index.sqlite"), "damage");
  expect((await izo("verify", directory)).status).toBe(EXIT.failed);
  const { status, stdout } = await izo("reindex", directory);
  expect(status).toBe(EXIT.ok);
  expect(stdout).toMatch(/^indexed \d+ records; the old index is kept as ".*damaged-\d+"\n$/);
  expect((await izo("verify", directory)).status).toBe(EXIT.ok);
});

test("izo verify --repair says what it would do, and does it", async () => {
  writeFileSync(join(directory, ".intermezzo/rootfset/index.sqlite"), "damage");
  const planned = await izo("verify", directory, "--repair", "--dry-run", "--json");
  expect(JSON.parse(planned.stdout)).toMatchObject({
    isDryRun: true,
    repairs: [{ path: "index.sqlite", action: "reindex" }],
  });
  expect((await izo("verify", directory)).status).toBe(EXIT.failed);
  const { status, stdout } = await izo("verify", directory, "--repair");
  expect(status).toBe(EXIT.ok);
  expect(stdout).toMatch(
    /index.sqlite: .*\n {2}made anew from the log; the old one is kept\n1 repair made/,
  );
  expect((await izo("verify", directory)).status).toBe(EXIT.ok);
});
