import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { renameat2 } from "@izo/sys";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../testing/test-peer.ts";
import type { Export } from "./export.ts";
import { verifyExport } from "./verify-export.ts";

/** Longer than a test: only a push makes the server look. */
const NEVER_MS = 60_000;

function namesIn(exported: Export): string[] {
  return exported.lookUp("/")!.children.map(({ entry }) => entry.name);
}

/** Exports two directories once; then one is removed, and the other moved to its name. */
async function replaceWhileStopped(dir: string): Promise<void> {
  for (const name of ["a", "b"]) {
    await mkdir(join(dir, name));
    await writeFile(join(dir, name, "f"), name);
  }
  await (await openTestExport(dir))[Symbol.asyncDispose]();
  await rm(join(dir, "a"), { recursive: true });
  await rename(join(dir, "b"), join(dir, "a"));
}

/** Ends a scan behind its first commit. */
function interrupt(): never {
  throw new Error("interrupted");
}

describe("moves that cross", () => {
  it("are seen whole by a push that runs into one of two files that changed places [S3]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await writeFile(join(dir, "a"), "was a");
    await writeFile(join(dir, "b"), "was b");
    await using exported = await openTestExport(dir, { gatherMs: NEVER_MS });
    const { oid, contentVersion } = exported.lookUp("/a")!.object;
    const other = exported.lookUp("/b")!.object.oid;
    renameat2(-1, join(dir, "a"), -1, join(dir, "b"), { exchange: true });
    const peer = new TestPeer(exported);
    await peer.stage("edited");
    const [result] = await peer.push(closeFile(oid, "edited", contentVersion));
    expect(result).toMatchObject({ verdict: "applied" });
    expect(exported.lookUp("/a")!.object.oid).toBe(other);
    expect(exported.lookUp("/b")!.object.oid).toBe(oid);
    expect(namesIn(exported)).toEqual(["a", "b"]);
    expect(await readFile(join(dir, "a"), "utf8")).toBe("was b");
    expect(await readFile(join(dir, "b"), "utf8")).toBe("edited");
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("leave no name behind at a start, where a directory was replaced by another [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await replaceWhileStopped(dir);
    await using exported = await openTestExport(dir);
    expect(namesIn(exported)).toEqual(["a"]);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("leave no name behind at the start after one that ended between two commits [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await replaceWhileStopped(dir);
    await expect(openTestExport(dir, { onProgress: interrupt })).rejects.toThrow("interrupted");
    await using exported = await openTestExport(dir);
    expect(namesIn(exported)).toEqual(["a"]);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("keep a directory that a push has met replaced, until it is found or missed again [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    for (const name of ["a", "b"]) await mkdir(join(dir, name));
    await using exported = await openTestExport(dir, { gatherMs: 300 });
    const a = exported.lookUp("/a")!.object.oid;
    const b = exported.lookUp("/b")!.object;
    await rename(join(dir, "a"), join(dir, "old"));
    await rename(join(dir, "b"), join(dir, "a"));
    const peer = new TestPeer(exported);
    await peer.push({
      opcode: "SETATTR",
      oid: a,
      path: "/a",
      attributes: { base: exported.lookUp("/a")!.object.attributesVersion, ...owned(0o700) },
      times: null,
    });
    await expect.poll(() => exported.lookUp("/old")?.object).toMatchObject({ oid: a, mode: 0o700 });
    expect(exported.lookUp("/a")!.object.oid).toBe(b.oid);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("bring a removed directory back under the name of a copy, for what is put into it", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    for (const name of ["a", "b"]) await mkdir(join(dir, name));
    await using exported = await openTestExport(dir);
    const { oid } = exported.lookUp("/a")!.object;
    const b = exported.lookUp("/b")!.object.oid;
    await rm(join(dir, "a"), { recursive: true });
    await rename(join(dir, "b"), join(dir, "a"));
    await expect.poll(() => namesIn(exported)).toEqual(["a"]);
    expect(exported.lookUp("/a")!.object.oid).toBe(b);
    await new TestPeer(exported).push(createFile("f", undefined, oid));
    expect(namesIn(exported)).toEqual(["a", expect.stringMatching(/^a\.conflict-/)]);
    expect(await verifyExport(dir)).toEqual([]);
  });
});

function owned(mode: number) {
  return { mode, uid: process.getuid!(), gid: process.getgid!() };
}
