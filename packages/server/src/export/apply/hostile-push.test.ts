import { readFileSync, renameSync, symlinkSync } from "node:fs";
import { link, lstat, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";

import {
  type Base,
  type ClientOperation,
  type Entry,
  type Name,
  type Oid,
  type PeerId,
  type Recno,
  ROOT_OID,
  type Sha256,
  writeReintegrateRequest,
} from "@izo/core";
import { baseAt, fuzzSize, hostileOperation, Random } from "@izo/core/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createApp } from "../../routes/app.ts";
import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, newId, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { verifyExport } from "../verify-export.ts";

/** Histories are some hundred times as long as one input of a parser's fuzzer. */
const INPUTS_PER_HISTORY = 25;
const OPERATIONS = 40;

/** What the export leaves out: in directories that a client removes, moves and replaces. */
const IGNORE = ["kept", "/d/e/secret"];
const LEFT_OUT = ["kept", "d/kept", "d/e/kept", "d/e/secret"];

/**
 * The contents of all files of these names, wherever they are by now: also in directories whose names are no
 * text. Node's own recursion follows symlinks.
 */
async function contentsOf(dir: string | Buffer, names: readonly string[]): Promise<string[]> {
  const contents: string[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([Buffer.from(dir), Buffer.from("/"), entry.name]);
    // oxlint-disable-next-line no-await-in-loop -- one directory after another
    if (entry.isDirectory()) contents.push(...(await contentsOf(path, names)));
    if (entry.isFile() && names.includes(entry.name.toString()))
      contents.push(readFileSync(path, "utf8"));
  }
  return contents;
}

/** Everything below a directory, with what tells that somebody was there. */
async function manifest(dir: string): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(dir, { recursive: true })).toSorted()) {
    const { mode, uid, gid, size, mtimeMs, nlink, ino } = await lstat(join(dir, name));
    lines.push([name, mode, uid, gid, size, mtimeMs, nlink, ino].join(" "));
  }
  const { mode, uid, gid, mtimeMs } = await lstat(dir);
  return [...lines, [".", mode, uid, gid, mtimeMs].join(" ")];
}

/** A tree with ways out of it: symlinks to a directory and to a file outside, and hard links. */
async function makeTree(dir: string, outside: string): Promise<void> {
  await mkdir(join(outside, "dir"));
  await writeFile(join(outside, "dir", "file"), "not yours");
  await writeFile(join(outside, "file"), "not yours");
  await mkdir(join(dir, "d", "e"), { recursive: true });
  for (const path of ["f", "d/f", "d/e/f", ...LEFT_OUT]) await writeFile(join(dir, path), path);
  await link(join(dir, "f"), join(dir, "d", "hard"));
  await symlink(join(outside, "dir"), join(dir, "out"));
  await symlink(join(outside, "file"), join(dir, "d", "file-out"));
}

/** What a hostile client learns from a snapshot, and makes up. */
function knowledgeOf(exported: Export, outside: string, sha256: Sha256) {
  const oids: Oid[] = [ROOT_OID, newId(), newId(), newId()];
  const names = new Set<string>(["x", "y", "kept", "secret", ".intermezzo", "\udcff", "..."]);
  const contents: Sha256[] = [sha256];
  const directories: Oid[] = [ROOT_OID];
  const entries: Entry[] = [];
  using snapshot = exported.snapshot();
  for (const row of snapshot.rows()) {
    if (row.kind === "object") {
      oids.push(row.object.oid);
      if (row.object.kind === "directory") directories.push(row.object.oid);
      if (row.object.sha256 !== null) contents.push(row.object.sha256);
    }
    if (row.kind !== "entry") continue;
    names.add(row.entry.name);
    entries.push(row.entry);
  }
  const { recno } = exported.headPosition;
  const foreign = { peer: newId() as PeerId, recno: 1 as Recno };
  const bases: Base[] = [baseAt(0), baseAt(1), baseAt(recno), baseAt(recno + 9), foreign];
  const targets = [outside, "../../..", "/etc", ".intermezzo/rootfset", "d"];
  return { oids, directories, entries, names: [...names] as Name[], contents, bases, targets };
}

/** Puts a symlink in the place of a directory, or the directory back. */
async function swap(dir: string, outside: string, random: Random): Promise<void> {
  const path = join(dir, random.pick(["d", "d/e"]));
  const aside = `${path}-aside`;
  try {
    if (random.below(2) === 0) {
      await rename(path, aside);
      await symlink(join(outside, "dir"), path);
    } else if ((await lstat(path)).isSymbolicLink()) {
      await rm(path);
      await rename(aside, path);
    }
  } catch (error) {
    // A push has just moved it.
    if ((error as { syscall?: unknown }).syscall === undefined) throw error;
  }
}

/** Sends a batch as a hostile client would, past all that an honest one checks. */
async function send(
  app: ReturnType<typeof createApp>,
  peer: TestPeer,
  operations: readonly ClientOperation[],
): Promise<{ status: number; text: string }> {
  const records = operations.map((operation) => peer.record(operation));
  const received = { recno: 0 as Recno, check: "0".repeat(16) };
  const head = { peer: peer.peer, host: "evil", received };
  const body = writeReintegrateRequest({ ...head, records, contents: [], permits: [] });
  const headers = { "Izo-Removal-Confirmed": "?1" };
  const request = { method: "POST", body, headers };
  const response = await app.request("/v1/filesets/rootfset/reintegrate", request);
  return { status: response.status, text: await response.text() };
}

describe("a hostile client", () => {
  const { numRuns, seed } = fuzzSize(150);
  const seeds = Array.from(
    { length: Math.ceil(numRuns / INPUTS_PER_HISTORY) },
    (_, index) => seed + index,
  );

  test.each(seeds)(
    "changes nothing outside of the export, whatever it sends and whatever stands in the way (seed %i) [S3]",
    async (each) => {
      await using temporary = await temporaryDirectory();
      await using elsewhere = await temporaryDirectory();
      const { dir } = temporary;
      await makeTree(dir, elsewhere.dir);
      const before = await manifest(elsewhere.dir);
      const random = new Random(each);
      /** Pushes that the server had no word for. */
      const failures: string[] = [];
      {
        await using exported = await openTestExport(dir, { onError: () => {}, ignore: IGNORE });
        const sysid = readFileSync(join(exported.stateDirectory, "sysid"), "utf8");
        const app = createApp({ filesets: [exported] });
        const sha256 = await new TestPeer(exported).stage("evil!");
        const operation = hostileOperation(knowledgeOf(exported, elsewhere.dir, sha256));
        const operations = fc.sample(operation, { numRuns: OPERATIONS, seed: each });
        while (operations.length > 0) {
          const batch = operations.splice(0, 1 + random.below(3)) as ClientOperation[];
          // A peer that was refused once would be told that it diverged.
          const sending = send(app, new TestPeer(exported), batch);
          if (random.below(3) === 0) await swap(dir, elsewhere.dir, random);
          const { status, text } = await sending;
          if (status === 500) failures.push(inspect(batch, { depth: 4 }), text);
        }
        await exported.settle();
        expect(readFileSync(join(exported.stateDirectory, "sysid"), "utf8")).toBe(sysid);
      }
      expect(failures).toEqual([]);
      expect(await manifest(elsewhere.dir)).toEqual(before);
      const kept = await contentsOf(dir, ["kept", "secret"]);
      expect(kept).toEqual(expect.arrayContaining(LEFT_OUT));
      {
        // What was just changed by hand is logged by the next scan.
        await using _ = await openTestExport(dir, { confirmsRemoval: true, onError: () => {} });
      }
      expect(await verifyExport(dir)).toEqual([]);
    },
  );
});

describe("a symlink that takes a directory's place in the middle of an apply", () => {
  test.each([
    "items-prepared",
    "intents-written",
    "half-step",
    "step-done",
    "tree-changed",
  ] as const)("leads nothing out of the export: at %s [S3]", async (label) => {
    await using temporary = await temporaryDirectory();
    await using elsewhere = await temporaryDirectory();
    const { dir } = temporary;
    await makeTree(dir, elsewhere.dir);
    await writeFile(join(dir, "d", "saved"), "to be saved over");
    const before = await manifest(elsewhere.dir);
    let isSwapped = false;
    const reach = (reached: string): void => {
      if (reached !== label || isSwapped) return;
      isSwapped = true;
      renameSync(join(dir, "d"), join(dir, "d-aside"));
      symlinkSync(join(elsewhere.dir, "dir"), join(dir, "d"));
    };
    {
      await using exported = await openTestExport(dir, { reach, onError: () => {} });
      const app = createApp({ filesets: [exported] });
      const peer = new TestPeer(exported);
      const d = exported.lookUp("/d")!.object.oid;
      const file = createFile("file", undefined, d);
      const own = { peer: peer.peer, recno: 1 as Recno };
      await peer.stage("evil!");
      const saved = exported.lookUp("/d/saved")!.object;
      const save: ClientOperation = {
        opcode: "RENAME",
        oid: file.oid,
        contentBase: { ...own, recno: 2 as Recno },
        fromParent: d,
        fromName: "file" as Name,
        fromPath: "/d/file",
        fromBase: own,
        toParent: d,
        toName: "saved" as Name,
        toPath: "/d/saved",
        victim: { oid: saved.oid, contentBase: saved.contentVersion, isLastName: true },
        keepsOid: false,
        conflict: null,
      };
      const { status } = await send(app, peer, [
        file,
        closeFile(file.oid, "evil!", own),
        save,
        makeDirectory("made", undefined, d),
      ]);
      expect(status).not.toBe(500);
      expect(isSwapped).toBe(true);
    }
    expect(await manifest(elsewhere.dir)).toEqual(before);
    {
      await using _ = await openTestExport(dir, { confirmsRemoval: true, onError: () => {} });
    }
    expect(await verifyExport(dir)).toEqual([]);
  });
});

test("a clock that jumps to either end of time stops no push, and decides nothing", async () => {
  await using temporary = await temporaryDirectory();
  const { dir } = temporary;
  await writeFile(join(dir, "f"), "as all know it");
  await using exported = await openTestExport(dir);
  const { oid, contentVersion } = exported.lookUp("/f")!.object;
  for (const [index, authorNs] of [0n, 2n ** 63n - 1n, -(2n ** 63n)].entries()) {
    const peer = new TestPeer(exported, { nowNs: () => authorNs });
    const content = `edit ${index}`;
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await peer.stage(content);
    // oxlint-disable-next-line no-await-in-loop
    const [result] = await peer.push(closeFile(oid, content, contentVersion));
    expect(result!.verdict).toBe(index === 0 ? "applied" : "copied");
  }
  expect(readFileSync(join(dir, "f"), "utf8")).toBe("edit 0");
  const names = (await readdir(dir)).filter((name) => name.includes("conflict"));
  expect(names.toSorted()).toEqual([
    "f.conflict-19700101T000000Z-laptop",
    "f.conflict-22620411T234716Z-laptop",
  ]);
  expect(await verifyExport(dir)).toEqual([]);
});
