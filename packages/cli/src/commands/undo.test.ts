import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { applyRemoteUndo, HttpRemote, planRemoteUndo } from "@izo/client";
import { type RunningServer, serve } from "@izo/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { EXIT } from "../output/exit-code.ts";
import { izoIn } from "../testing/izo-in.ts";
import { RemotePeer } from "../testing/remote-peer.ts";

let directory: string;
let server: RunningServer;
let ann: RemotePeer;
let bob: RemotePeer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "izo-undo-"));
  mkdirSync(join(directory, "src"));
  for (const name of ["a", "b", "c"]) {
    writeFileSync(join(directory, "src", name), `content of ${name}`);
  }
  writeFileSync(join(directory, "notes"), "old notes");
  server = await serve({ directory, host: "127.0.0.1", port: 0, filesetName: "shared" });
  ann = new RemotePeer(server);
  bob = new RemotePeer(server);
});
afterEach(async () => {
  await ann[Symbol.asyncDispose]();
  await bob[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const izo = (...args: readonly string[]) => izoIn(directory, args);
const read = (path: string): string => readFileSync(join(directory, path), "utf8");
const oidOf = (path: string) => server.fileset.lookUp(path)?.object.oid;
const head = (): number => server.fileset.headPosition.recno;

describe("izo undo", () => {
  test("brings back what was removed, under its id, puts back what was written, and can be undone", async () => {
    const before = head();
    const oids = ["/src", "/src/a", "/src/b"].map(oidOf);
    for (const path of ["/src/a", "/src/b", "/src/c", "/src"]) await ann.remove(path);
    await ann.write("/notes", "new notes");
    const dry = await izo("undo", server.url, "--range", `${before}..`, "--dry-run");
    expect(dry).toMatchObject({ status: EXIT.ok, stderr: "" });
    expect(dry.stdout).toContain("bring back file /src/a");
    expect(oidOf("/src"), "nothing is done").toBeUndefined();

    const undone = head();
    const done = await izo("undo", server.url, "--range", `${before}..`, "--yes", "--json");
    expect(done).toMatchObject({ status: EXIT.ok, stderr: "" });
    expect(JSON.parse(done.stdout)).toMatchObject({ leftAlone: [], otherwise: [] });
    expect(readdirSync(join(directory, "src"))).toEqual(["a", "b", "c"]);
    expect([read("src/b"), read("notes")]).toEqual(["content of b", "old notes"]);
    expect(["/src", "/src/a", "/src/b"].map(oidOf)).toEqual(oids);

    const { undoPeer } = JSON.parse(done.stdout) as { undoPeer: string };
    const range = `${undone}..`;
    const redone = await izo("undo", server.url, "--range", range, "--peer", undoPeer, "--yes");
    expect(redone.status).toBe(EXIT.ok);
    expect(oidOf("/src")).toBeUndefined();
    expect(read("notes")).toBe("new notes");
  });

  test("of one peer, below one path, leaves alone what others changed since", async () => {
    const before = head();
    await ann.remove("/src/a");
    await ann.remove("/src/b");
    await ann.write("/src/c", "Ann's");
    await ann.remove("/notes");
    await bob.write("/src/a", "Bob's");
    await bob.write("/src/c", "Bob's too");
    const who = ["--peer", ann.peer.slice(0, 8)];
    const how = ["--range", `${before}..`, "--yes", "--json"];
    const done = await izo("undo", server.url, "src", ...who, ...how);
    expect(done.status).toBe(EXIT.ok);
    const { leftAlone } = JSON.parse(done.stdout) as { leftAlone: { path: string }[] };
    expect(leftAlone.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toMatchObject([
      { path: "/src/a", reason: "name-taken" },
      { path: "/src/c", reason: "edited-since" },
    ]);
    expect(read("src/a")).toBe("Bob's");
    expect(read("src/b")).toBe("content of b");
    expect(read("src/c")).toBe("Bob's too");
    expect(oidOf("/notes"), "not below the path").toBeUndefined();
  });

  test("leaves alone what has no content any more, and says so before anything is done", async () => {
    const before = head();
    // A program in the export removes it: nobody could keep its content.
    await rm(join(directory, "notes"));
    await expect.poll(() => oidOf("/notes"), { timeout: 20_000 }).toBeUndefined();
    const dry = await izo("undo", server.url, "--range", `${before}..`, "--dry-run");
    expect(dry.stdout).toContain("/notes: its old content is not kept any more");
  });

  test("that somebody overtakes between plan and push keeps both, and tells what became otherwise [D3]", async () => {
    await using remote = new HttpRemote(server.url);
    const after = { kind: "recno", recno: server.fileset.headPosition.recno } as const;
    await ann.write("/notes", "Ann's");
    await ann.remove("/src/a");
    const { signal } = new AbortController();
    const planned = await planRemoteUndo(remote, { after }, signal);
    await bob.write("/notes", "Bob was faster");
    const actor = { uid: 0, gid: 0, groups: [], command: "izo undo" };
    const otherwise = await applyRemoteUndo(remote, planned, actor, signal);
    expect(otherwise.map(({ result }) => result.verdict)).toEqual(["copied"]);
    expect(read("notes")).toBe("Bob was faster");
    expect(read("src/a"), "the rest is undone").toBe("content of a");
    const [conflict] = server.fileset.conflicts();
    expect(read(conflict!.copy.path)).toBe("old notes");
  });

  test("asks, and says how to do without where nobody can answer", async () => {
    const before = head();
    await ann.remove("/notes");
    const asked = await izo("undo", server.url, "--record", String(before + 1));
    expect(asked.status).toBe(EXIT.usage);
    expect(asked.stdout).toContain("bring back file /notes");
    expect(asked.stderr).toContain("--yes");
    expect(oidOf("/notes")).toBeUndefined();
    const unclear = await izo("undo", server.url);
    expect(unclear.status).toBe(EXIT.usage);
    expect(unclear.stderr).toContain("which records is not said");
  });
});
