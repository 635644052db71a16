import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import {
  ROOT_OID,
  type ClientOperation,
  type Name,
  type Oid,
  type OriginId,
  type Recno,
  type Sha256,
} from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../testing/test-peer.ts";
import { NoSpaceError } from "./errors.ts";
import type { Export } from "./export.ts";
import { verifyExport } from "./verify-export.ts";

const DISK_MIB = 8;

/** A directory on a file system of its own, which is small. */
async function smallDisk(): Promise<AsyncDisposable & { readonly dir: string }> {
  const temporary = await temporaryDirectory();
  const { dir } = temporary;
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "izo-test", dir]);
  return {
    dir,
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["--lazy", dir]);
      await temporary[Symbol.asyncDispose]();
    },
  };
}

/** Writes to a file until nothing more fits. */
async function fillUp(path: string): Promise<void> {
  for (const size of [1024 * 1024, 64 * 1024, 4096]) {
    for (;;) {
      try {
        await writeFile(path, Buffer.alloc(size, 1), { flag: "a" });
      } catch {
        break;
      }
    }
  }
}

describe("an export on a full disk", () => {
  it("says so to who pushes, tears nothing, and goes on when there is space", async () => {
    await using disk = await smallDisk();
    const { dir } = disk;
    await using exported = await openTestExport(dir, { gatherMs: 60_000 });
    const peer = new TestPeer(exported);
    await peer.push(makeDirectory("before"));
    const content = "x".repeat(256 * 1024);
    await peer.stage(content);
    await fillUp(join(dir, "ballast"));

    const upload = createHash("sha256")
      .update("y".repeat(1024 * 1024))
      .digest("hex") as Sha256;
    const stage = (): void => exported.stageInline(upload, Buffer.from("y".repeat(1024 * 1024)));
    expect(stage).toThrow(NoSpaceError);

    await rm(join(dir, "ballast"));
    const create = createFile("f");
    const base: OriginId = { peer: peer.peer, recno: 2 as Recno };
    const results = await peer.push(create, closeFile(create.oid, content, base));
    expect(results.map(({ verdict }) => verdict)).toEqual(["applied", "applied"]);
    expect(await readFile(join(dir, "f"), "utf8")).toBe(content);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("refuses every push while the log has no room, and loses none of them", async () => {
    await using disk = await smallDisk();
    const { dir } = disk;
    await using exported = await openTestExport(dir, { gatherMs: 60_000 });
    const peer = new TestPeer(exported);
    await fillUp(join(dir, "ballast"));
    const records = Array.from({ length: 200 }, (_, index) =>
      peer.record(makeDirectory(`d${index}`)),
    );
    await expect(peer.send(records)).rejects.toBeInstanceOf(NoSpaceError);
    await rm(join(dir, "ballast"));
    const results = await peer.send(records);
    expect(results.every(({ verdict }) => verdict === "applied")).toBe(true);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("takes removals when it takes nothing else, says so in its status, and starts again", async () => {
    await using disk = await smallDisk();
    const { dir } = disk;
    const peer = new TestPeer({} as Export);
    {
      await using exported = await openTestExport(dir, { gatherMs: 60_000 });
      const names = Array.from({ length: 200 }, (_, index) => `old${index}`);
      const made = names.map((name) => makeDirectory(name));
      await peer.resume(exported).push(...made);
      await fillUp(join(dir, "ballast"));
      // What was reserved ahead is used up first; then everything is refused.
      await expect(pushUntilRefused(peer)).rejects.toBeInstanceOf(NoSpaceError);
      expect(exported.status().problems).toMatchObject([{ path: "the disk" }]);

      const removals = made.map(({ oid }, index) => removeDirectory(exported, names[index]!, oid));
      const removed = await peer.push(...removals);
      expect(removed.every(({ verdict }) => verdict === "applied")).toBe(true);
    }
    await using exported = await openTestExport(dir, { gatherMs: 60_000 });
    expect(await verifyExport(dir)).toEqual([]);
    await rm(join(dir, "ballast"));
    const after = await peer.resume(exported).push(makeDirectory("after"));
    expect(after).toMatchObject([{ verdict: "applied" }]);
    expect(exported.status().problems).toEqual([]);
  });
});

/** The records that were refused were never sent, as far as the peer's numbers go. */
async function pushUntilRefused(peer: TestPeer): Promise<void> {
  for (let batch = 0; batch < 100; batch += 1) {
    const names = Array.from({ length: 50 }, (_, index) => `new${batch}-${index}`);
    // oxlint-disable-next-line no-await-in-loop -- one push after another
    await peer.push(...names.map((name) => makeDirectory(name)));
  }
}

function removeDirectory(exported: Export, name: string, oid: Oid): ClientOperation {
  const { entry } = exported.lookUp("/")!.children.find((child) => child.object.oid === oid)!;
  const base = { oid, parent: ROOT_OID, name: name as Name, path: `/${name}` };
  return { opcode: "RMDIR", ...base, nameBase: entry.version };
}
