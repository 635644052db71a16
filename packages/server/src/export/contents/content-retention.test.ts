import { hash } from "node:crypto";
import { appendFile, link, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Sha256 } from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import type { ContentRetention } from "./content-retention.ts";

const HOUR_MS = 3_600_000;
const NOTHING_DROPPED: ContentRetention = {
  minMs: HOUR_MS,
  maxAgeMs: 1000 * HOUR_MS,
  maxCount: 1000,
  maxBytes: 1_000_000,
};

const hashOf = (text: string): Sha256 => hash("sha256", text) as Sha256;

/** What is kept under its hash, of these contents; null for none. */
async function kept(exported: Export, ...texts: string[]): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for (const text of texts) {
    const content = await exported.openContent(hashOf(text));
    if (content?.kind !== "open") {
      found.push(null);
      continue;
    }
    await using open = content;
    let bytes = "";
    for await (const piece of open.read()) bytes += Buffer.from(piece).toString();
    found.push(bytes);
  }
  return found;
}

/** Gives /f these contents, one after another, an hour apart. */
async function replaceHourly(
  exported: Export,
  clock: { nowMs: number },
  texts: readonly string[],
): Promise<void> {
  const peer = new TestPeer(exported);
  const create = createFile("f");
  await peer.push(create);
  for (const text of texts) {
    clock.nowMs += HOUR_MS;
    await peer.stage(text);
    const { contentVersion } = exported.lookUp("/f")!.object;
    await peer.push(closeFile(create.oid, text, contentVersion, "/f"));
  }
}

const TEXTS = ["first", "second", "third", "now"];

describe("old contents", () => {
  it.each<{ description: string; limits: Partial<ContentRetention>; left: (string | null)[] }>([
    {
      description: "all of them within the limits",
      limits: {},
      left: ["first", "second", "third"],
    },
    {
      description: "only the younger ones",
      limits: { minMs: 0, maxAgeMs: 1.5 * HOUR_MS },
      left: [null, "second", "third"],
    },
    {
      description: "as many as the count",
      limits: { minMs: 0, maxCount: 1 },
      left: [null, null, "third"],
    },
    {
      description: "as much as the size",
      limits: { minMs: 0, maxBytes: 11 },
      left: [null, "second", "third"],
    },
    {
      description: "what the least time protects, beyond count and size",
      limits: { minMs: 1.5 * HOUR_MS, maxCount: 0, maxBytes: 0 },
      left: [null, "second", "third"],
    },
  ])("are kept: $description [D8]", async ({ limits, left }) => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    const clock = { nowMs: Date.now() };
    await using exported = await openTestExport(dir, {
      nowNs: () => BigInt(clock.nowMs) * 1_000_000n,
      rescanMs: 20,
      contentRetention: { ...NOTHING_DROPPED, ...limits },
    });
    await replaceHourly(exported, clock, TEXTS);
    const files = () => readdir(join(dir, ".intermezzo/rootfset/objects"));
    const expected = left.flatMap((text) => (text === null ? [] : [hashOf(text)]));
    await expect.poll(async () => (await files()).toSorted()).toEqual(expected.toSorted());
    expect(await kept(exported, ...TEXTS)).toEqual([...left, "now"]);
  });

  it("are copied where the inode has further names, and keep what those are written over with [D8]", async () => {
    await using temporary = await temporaryDirectory();
    await using outside = await temporaryDirectory();
    const { dir } = temporary;
    const backup = join(outside.dir, "backup");
    await writeFile(join(dir, "f"), "before");
    await link(join(dir, "f"), backup);
    await using exported = await openTestExport(dir);
    const peer = new TestPeer(exported);
    const { oid, contentVersion } = exported.lookUp("/f")!.object;
    await peer.stage("after");
    await peer.push(closeFile(oid, "after", contentVersion, "/f"));
    await expect.poll(() => kept(exported, "before"), { timeout: 10_000 }).toEqual(["before"]);
    await appendFile(backup, " and more");
    expect(await kept(exported, "before", "after")).toEqual(["before", "after"]);
    const staging = join(dir, ".intermezzo/rootfset/staging/apply");
    await expect.poll(() => readdir(staging)).toEqual([]);
  });

  it("count again after somebody has touched them, once they were hashed at a start [D8]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    {
      await using exported = await openTestExport(dir);
      await replaceHourly(exported, { nowMs: 0 }, ["old", "new"]);
      await utimes(join(dir, ".intermezzo/rootfset/objects", hashOf("old")), 1, 1);
      expect(await kept(exported, "old")).toEqual([null]);
    }
    await using exported = await openTestExport(dir);
    expect(await kept(exported, "old")).toEqual(["old"]);
  });
});
