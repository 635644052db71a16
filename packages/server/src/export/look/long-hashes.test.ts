import { createHash } from "node:crypto";
import { constants, openSync } from "node:fs";
import { mkdir, readdir, readFile, rename, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { fstatat } from "@izo/sys";
import { describe, expect, it, test } from "vitest";

import { noteOfStat } from "../../db/disk-notes.ts";
import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, newId, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { heldFd } from "../tree/tree-directory.ts";
import { verifyExport } from "../verify-export.ts";
import { LongHashes } from "./long-hashes.ts";

const TIB = 2 ** 40;
const LARGE_BYTES = 80 * 1024 * 1024;
const LARGE_HASH = createHash("sha256").update(Buffer.alloc(LARGE_BYTES)).digest("hex");

/** Makes a file of zeros, without the time to write them. */
async function makeSparse(path: string, sizeBytes: number): Promise<void> {
  await writeFile(path, "");
  await truncate(path, sizeBytes);
}

function isCopy(name: string): boolean {
  return name.includes(".conflict-");
}

function opcodesAfter(exported: Export, recno: number): string[] {
  const chunk = exported.readLog(exported.positionAt(recno as never), {});
  return [...chunk.records()].map(({ operation }) => operation.opcode);
}

test("a file that takes long to hash holds nobody up, and is logged as it is in the end [S2]", async () => {
  await using temporary = await temporaryDirectory();
  await using exported = await openTestExport(temporary.dir);
  const image = join(temporary.dir, "image");
  // Some twenty minutes of hashing.
  await makeSparse(image, TIB);
  await makeSparse(join(temporary.dir, "marker"), 0);
  await expect.poll(() => exported.lookUp("/marker")).not.toBeNull();
  const [result] = await new TestPeer(exported).push(makeDirectory("of-a-client"));
  expect(result).toMatchObject({ verdict: "applied" });
  await writeFile(join(temporary.dir, "other"), "of a program");
  await expect.poll(() => exported.lookUp("/other")?.object.sizeBytes).toBe(12);
  expect(exported.lookUp("/image")).toBeNull();

  await truncate(image, LARGE_BYTES);
  await expect
    .poll(() => exported.lookUp("/image")?.object.sha256, { timeout: 20_000 })
    .toBe(LARGE_HASH);
  await exported.settle();
  expect(await verifyExport(temporary.dir)).toEqual([]);
});

test("LongHashes leaves a file alone that was changed while it was hashed, longer each time", async () => {
  await using temporary = await temporaryDirectory();
  const directory = openSync(temporary.dir, constants.O_RDONLY);
  using _ = heldFd(directory);
  let nowMs = 0;
  using hashes = new LongHashes(() => nowMs);
  const path = join(temporary.dir, "image");
  const ask = (): string | undefined =>
    hashes.hashOf(directory, "image", noteOfStat(fstatat(directory, "image", { noFollow: true })));
  for (const pauseMs of [1_000, 2_000, 4_000]) {
    await makeSparse(path, TIB);
    expect(ask()).toBeUndefined();
    // It is found to have changed, and is small by now: a hash would be there at once.
    await writeFile(path, "content");
    expect(ask()).toBeUndefined();
    nowMs += pauseMs - 1;
    ask();
    await delay(30);
    expect(ask()).toBeUndefined();
    nowMs += 1;
  }
  ask();
  const sha256 = createHash("sha256").update("content").digest("hex");
  await expect.poll(ask).toBe(sha256);
  // What changes after its hash was known begins anew.
  await writeFile(path, "other");
  await expect.poll(ask).toBe(createHash("sha256").update("other").digest("hex"));
});

test("a large file that is moved stays the object that it was [S2]", async () => {
  await using temporary = await temporaryDirectory();
  await makeSparse(join(temporary.dir, "a"), LARGE_BYTES);
  await using exported = await openTestExport(temporary.dir);
  const { oid } = exported.lookUp("/a")!.object;
  const before = exported.headPosition.recno;
  await rename(join(temporary.dir, "a"), join(temporary.dir, "b"));
  await expect.poll(() => exported.lookUp("/b")?.object.oid, { timeout: 20_000 }).toBe(oid);
  expect(opcodesAfter(exported, before)).toEqual(["RENAME"]);
});

test("a large file does not wait for the hashes of larger ones", async () => {
  await using temporary = await temporaryDirectory();
  await using exported = await openTestExport(temporary.dir);
  for (const name of ["a", "b", "c"]) await makeSparse(join(temporary.dir, name), TIB);
  await makeSparse(join(temporary.dir, "marker"), 0);
  await expect.poll(() => exported.lookUp("/marker")).not.toBeNull();
  await makeSparse(join(temporary.dir, "large"), LARGE_BYTES);
  await expect
    .poll(() => exported.lookUp("/large")?.object.sha256, { timeout: 20_000 })
    .toBe(LARGE_HASH);
});

test("a start does not wait for the hash of a huge file", async () => {
  await using temporary = await temporaryDirectory();
  const image = join(temporary.dir, "image");
  await makeSparse(image, TIB);
  await makeSparse(join(temporary.dir, "other"), 0);
  await using exported = await openTestExport(temporary.dir);
  expect(exported.lookUp("/other")).not.toBeNull();
  expect(exported.lookUp("/image")).toBeNull();
  await truncate(image, LARGE_BYTES);
  await expect
    .poll(() => exported.lookUp("/image")?.object.sha256, { timeout: 20_000 })
    .toBe(LARGE_HASH);
});

describe("a push that runs into a huge file of a program [S3]", () => {
  it("finds its name taken, and the content is logged when it is hashed", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const image = join(temporary.dir, "image");
    await makeSparse(image, TIB);
    const peer = new TestPeer(exported);
    const oid = newId();
    await peer.stage("theirs");
    const base = { peer: peer.peer, recno: peer.nextRecno };
    const results = await peer.push(createFile("image", oid), closeFile(oid, "theirs", base));
    expect(results.map(({ verdict }) => verdict)).toEqual(["copied", "applied"]);
    expect(exported.lookUp("/image")?.object).toMatchObject({ sizeBytes: 0 });
    expect(exported.lookUp("/image")?.object.oid).not.toBe(oid);
    await truncate(image, LARGE_BYTES);
    await expect
      .poll(() => exported.lookUp("/image")?.object.sha256, { timeout: 20_000 })
      .toBe(LARGE_HASH);
    await exported.settle();
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("finds it in a directory that it removes", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await mkdir(join(dir, "d"));
    await using exported = await openTestExport(dir);
    const { entry } = exported.lookUp("/")!.children[0]!;
    await makeSparse(join(dir, "d/image"), TIB);
    const { oid, parent, name, version: nameBase } = entry;
    const [result] = await new TestPeer(exported).push({
      opcode: "RMDIR",
      oid,
      parent,
      name,
      path: "/d",
      nameBase,
    });
    expect(result).toMatchObject({ verdict: "refused" });
    expect(await readdir(join(dir, "d"))).toEqual(["image"]);
  });

  it("keeps it as a copy where the push replaces the file that it was", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    const path = join(dir, "f");
    await writeFile(path, "first");
    await using exported = await openTestExport(dir);
    const { oid, contentVersion } = exported.lookUp("/f")!.object;
    await truncate(path, TIB);
    const peer = new TestPeer(exported);
    await peer.stage("theirs");
    const [result] = await peer.push(closeFile(oid, "theirs", contentVersion));
    expect(result).toMatchObject({ verdict: "applied" });
    expect(await readFile(path, "utf8")).toBe("theirs");
    await expect.poll(async () => (await readdir(dir)).some(isCopy), { timeout: 5000 }).toBe(true);
    const copy = (await readdir(dir)).find(isCopy)!;
    expect((await stat(join(dir, copy))).size).toBe(TIB);
    expect(await peer.push(makeDirectory("d"))).toMatchObject([{ verdict: "applied" }]);
    await truncate(join(dir, copy), LARGE_BYTES);
    await expect
      .poll(() => exported.lookUp(`/${copy}`)?.object.sha256, { timeout: 20_000 })
      .toBe(
        createHash("sha256")
          .update("first")
          .update(Buffer.alloc(LARGE_BYTES - 5))
          .digest("hex"),
      );
  });
});
