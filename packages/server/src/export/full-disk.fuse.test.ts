import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

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

const MIB = 1024 * 1024;

/** What has come of uploads that were broken off in their middle. */
class BrokenUploads {
  readonly #exported: Export;
  #made = 0;

  constructor(exported: Export) {
    this.#exported = exported;
  }

  /** Gives the hash of the content of which one MiB is there. */
  async make(): Promise<Sha256> {
    this.#made += 1;
    const content = contentOf(`broken ${this.#made}`, 2 * MIB);
    const range = { offsetBytes: 0, totalBytes: 2 * MIB };
    await this.#exported.upload(content.sha256, once(content.bytes.subarray(0, MIB)), range);
    // What comes next is younger, also by a clock that ticks a hundred times a second.
    await setTimeout(20);
    return content.sha256;
  }

  bytesOf(hashes: readonly Sha256[]): number[] {
    return hashes.map((sha256) => this.#exported.uploadOffset(sha256).offsetBytes);
  }
}

function contentOf(text: string, length: number): { bytes: Buffer; sha256: Sha256 } {
  const bytes = Buffer.alloc(length, text);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") as Sha256 };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}

describe("uploads that nobody goes on with", () => {
  it("go before anything is refused on a full disk, the oldest first", async () => {
    await using disk = await smallDisk();
    const { dir } = disk;
    await using exported = await openTestExport(dir, { gatherMs: 60_000 });
    const broken = new BrokenUploads(exported);
    const hashes = [await broken.make(), await broken.make(), await broken.make()];
    await fillUp(join(dir, "ballast"));

    const small = contentOf("small", MIB / 2);
    exported.stageInline(small.sha256, small.bytes);
    expect(broken.bytesOf(hashes)).toEqual([0, MIB, MIB]);

    const large = contentOf("large", MIB);
    const range = { offsetBytes: 0, totalBytes: MIB };
    const { isComplete } = await exported.upload(large.sha256, once(large.bytes), range);
    expect(isComplete).toBe(true);
    expect(broken.bytesOf(hashes)).toEqual([0, 0, MIB]);

    await fillUp(join(dir, "ballast"));
    const names = Array.from({ length: 500 }, (_, index) => `d${index}`);
    const results = await new TestPeer(exported).push(...names.map((name) => makeDirectory(name)));
    expect(results.every(({ verdict }) => verdict === "applied")).toBe(true);
    expect(broken.bytesOf(hashes)).toEqual([0, 0, 0]);
    expect(exported.status().problems).toEqual([]);
  });

  it("go before what a program has made cannot be logged", async () => {
    await using disk = await smallDisk();
    const { dir } = disk;
    await using exported = await openTestExport(dir, { gatherMs: 60_000 });
    const broken = new BrokenUploads(exported);
    const hashes = [await broken.make()];
    await fillUp(join(dir, "ballast"));
    // On such a disk a name takes no space, but its record does.
    for (let index = 0; index < 3000; index += 1) writeFileSync(join(dir, `f${index}`), "");
    await exported.rescan();
    expect(exported.lookUp("/f2999")).not.toBeNull();
    expect(broken.bytesOf(hashes)).toEqual([0]);
    expect(exported.status().problems).toEqual([]);
  });

  it("stay where one of them fills the disk itself, and is refused", async () => {
    await using disk = await smallDisk();
    await using exported = await openTestExport(disk.dir, { gatherMs: 60_000 });
    const { sha256, bytes } = contentOf("too large", DISK_MIB * MIB);
    const range = { offsetBytes: 0, totalBytes: bytes.length };
    const upload = (): Promise<unknown> => exported.upload(sha256, once(bytes), range);
    await expect(upload()).rejects.toBeInstanceOf(NoSpaceError);
    expect(exported.uploadOffset(sha256).offsetBytes).toBeGreaterThan(MIB);
  });

  it("go after a week, also while the server runs", async () => {
    await using disk = await smallDisk();
    let nowNs = BigInt(Date.now()) * 1_000_000n;
    await using exported = await openTestExport(disk.dir, { nowNs: () => nowNs });
    const broken = new BrokenUploads(exported);
    const hashes = [await broken.make()];
    await exported.rescan();
    expect(broken.bytesOf(hashes)).toEqual([MIB]);
    nowNs += 8n * 24n * 3_600_000_000_000n;
    await exported.rescan();
    expect(broken.bytesOf(hashes)).toEqual([0]);
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
