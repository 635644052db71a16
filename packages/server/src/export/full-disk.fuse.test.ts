import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { OriginId, Recno, Sha256 } from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../testing/test-peer.ts";
import { NoSpaceError } from "./errors.ts";
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

    const create = createFile("f");
    const base: OriginId = { peer: peer.peer, recno: 2 as Recno };
    const records = [peer.record(create), peer.record(closeFile(create.oid, content, base))];
    await expect(peer.send(records)).rejects.toBeInstanceOf(NoSpaceError);
    const upload = createHash("sha256")
      .update("y".repeat(1024 * 1024))
      .digest("hex") as Sha256;
    const staged = exported.stageInline(upload, Buffer.from("y".repeat(1024 * 1024)));
    await expect(staged).rejects.toBeInstanceOf(NoSpaceError);

    await rm(join(dir, "ballast"));
    const results = await peer.send(records);
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
});
