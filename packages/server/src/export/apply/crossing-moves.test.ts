import { renameSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { renameat2 } from "@izo/sys";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { verifyExport } from "../verify-export.ts";

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

function nameOf(index: number): string {
  return index === 0 ? "log" : `log.${index}`;
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

  it.each([3, 5])(
    "are one circle of %i files, which stay the objects that they were, to a scan and to a push that runs into it [S2] [S3] [D2]",
    async (count) => {
      await using temporary = await temporaryDirectory();
      const { dir } = temporary;
      const names = Array.from({ length: count }, (_, index) => `f${index}`);
      for (const name of names) await writeFile(join(dir, name), `was ${name}`);
      const turn = async (): Promise<void> => {
        await rename(join(dir, "f0"), join(dir, "t"));
        for (const [index, name] of names.slice(1).entries())
          await rename(join(dir, name), join(dir, names[index]!));
        await rename(join(dir, "t"), join(dir, names.at(-1)!));
      };
      const oids = (exported: Export) =>
        names.map((name) => exported.lookUp(`/${name}`)!.object.oid);
      await using first = await openTestExport(dir, { gatherMs: NEVER_MS, quietMs: 0 });
      const before = oids(first);
      await turn();
      await first.rescan();
      const [oid, ...rest] = before;
      expect(oids(first)).toEqual([...rest, oid]);
      expect(await verifyExport(dir)).toEqual([]);

      await turn();
      const peer = new TestPeer(first);
      await peer.stage("edited");
      const { contentVersion } = first.lookUp("/f0")!.object;
      const [result] = await peer.push(closeFile(rest[0]!, "edited", contentVersion));
      expect(result).toMatchObject({ verdict: "applied" });
      const [next, ...others] = rest;
      expect(oids(first)).toEqual([...others, oid, next]);
      expect(namesIn(first).toSorted()).toEqual(names);
      expect(await readFile(join(dir, names.at(-1)!), "utf8")).toBe("edited");
      expect(await verifyExport(dir)).toEqual([]);
    },
  );

  it("leave a file the object that it was, where it is too young under its new name [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    for (const name of ["a", "b"]) await mkdir(join(dir, name));
    await writeFile(join(dir, "a/f"), "f");
    await using exported = await openTestExport(dir, { quietMs: 100 });
    const { oid } = exported.lookUp("/a/f")!.object;
    const { recno } = exported.headPosition;
    await rename(join(dir, "a/f"), join(dir, "b/g"));
    await expect.poll(() => exported.lookUp("/b/g")?.object.oid).toBe(oid);
    expect(exported.headPosition.recno).toBe(recno + 1);
    expect(exported.lookUp("/a")!.children).toEqual([]);
  });

  it("leave what is moved the object that it was, though a scan has been where it goes and not where it was [S2] [S4]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    const sides = ["a", "b"] as const;
    // More than a scan settles at a time, so that it commits between the two, in whichever order.
    const fill = (text: string) =>
      Promise.all(
        sides.flatMap((side) =>
          Array.from({ length: 1_050 }, (_, index) =>
            writeFile(join(dir, side, `n${index}`), text),
          ),
        ),
      );
    for (const side of sides) {
      await mkdir(join(dir, side, `directory-of-${side}`), { recursive: true });
      await writeFile(join(dir, side, `directory-of-${side}`, "f"), "f");
      await writeFile(join(dir, side, `file-of-${side}`), "f");
    }
    await fill("");
    const moves = sides.flatMap((side, index) =>
      ["directory", "file"].map((kind) => ({
        from: `${side}/${kind}-of-${side}`,
        to: `${sides[1 - index]}/${kind}-of-${side}`,
      })),
    );
    const first = await openTestExport(dir);
    const oids = moves.map(({ from }) => first.lookUp(`/${from}`)!.object.oid);
    await first[Symbol.asyncDispose]();
    await fill("x");
    let isMoved = false;
    await using exported = await openTestExport(dir, {
      onProgress: ({ files }) => {
        if (isMoved || files < 1_000) return;
        for (const { from, to } of moves) renameSync(join(dir, from), join(dir, to));
        isMoved = true;
      },
    });
    const found = () => moves.map(({ to }) => exported.lookUp(`/${to}`)?.object.oid);
    await expect.poll(found).toEqual(oids);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("take an edit by a client along to where the file was moved a moment ago [S3]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    for (const name of ["a", "b"]) await mkdir(join(dir, name));
    await writeFile(join(dir, "a/f"), "f");
    await using exported = await openTestExport(dir, { gatherMs: NEVER_MS, quietMs: 100 });
    const { oid, contentVersion } = exported.lookUp("/a/f")!.object;
    const peer = new TestPeer(exported);
    await peer.stage("edited");
    await rename(join(dir, "a/f"), join(dir, "b/g"));
    const [result] = await peer.push(closeFile(oid, "edited", contentVersion));
    expect(result).toMatchObject({ verdict: "applied" });
    expect(exported.lookUp("/b/g")!.object.oid).toBe(oid);
    expect(await readFile(join(dir, "b/g"), "utf8")).toBe("edited");
    expect(exported.lookUp("/a")!.children).toEqual([]);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("leave each log that is rotated the object that it was, in whichever order they are found [S2] [D2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    const logs = [0, 1, 2];
    for (const index of logs) await writeFile(join(dir, nameOf(index)), `was ${index}`);
    await using exported = await openTestExport(dir, { gatherMs: NEVER_MS, quietMs: 0 });
    const oidOf = (index: number) => exported.lookUp(`/${nameOf(index)}`)!.object.oid;
    for (let round = 0; round < 6; round += 1) {
      const before = logs.map(oidOf);
      for (const index of logs.toReversed())
        await rename(join(dir, nameOf(index)), join(dir, nameOf(index + 1)));
      await writeFile(join(dir, "log"), `new in round ${round}`);
      await exported.rescan();
      expect(logs.map((index) => oidOf(index + 1))).toEqual(before);
      logs.push(logs.length);
    }
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
    // Both are seen at once: a move that comes later makes the two one directory.
    await using exported = await openTestExport(dir, { gatherMs: 300 });
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
