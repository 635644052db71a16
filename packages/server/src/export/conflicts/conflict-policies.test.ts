import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { PolicyRule, Sha256 } from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { verifyExport } from "../verify-export.ts";

/** Two peers edit one file; gives the hash of the content that each brought. */
async function editTwice(exported: Export): Promise<{ first: Sha256; later: Sha256 }> {
  const { oid, contentVersion } = exported.lookUp("/note.txt")!.object;
  const hashes: Sha256[] = [];
  for (const content of ["first", "later"]) {
    const peer = new TestPeer(exported);
    hashes.push(await peer.stage(content));
    await peer.push(closeFile(oid, content, contentVersion));
  }
  return { first: hashes[0]!, later: hashes[1]! };
}

async function contentOf(exported: Export, sha256: Sha256): Promise<string> {
  const found = await exported.openContent(sha256);
  if (found?.kind !== "open") return String(found?.kind);
  await using open = found;
  const chunks: Uint8Array[] = [];
  for await (const chunk of open.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("a server with a conflict policy", () => {
  it.each([
    { policy: "ours", expected: "first" },
    { policy: "theirs", expected: "later" },
  ] as const)(
    "[K5] $policy: one content stays in the tree, the other is kept as old content",
    async ({ policy, expected }) => {
      await using temporary = await temporaryDirectory();
      await writeFile(join(temporary.dir, "note.txt"), "as both know it");
      const conflictPolicies: readonly PolicyRule[] = [{ path: "note.txt", policy }];
      await using exported = await openTestExport(temporary.dir, { conflictPolicies });
      const { first, later } = await editTwice(exported);
      expect((await readdir(temporary.dir)).toSorted()).toEqual([".intermezzo", "note.txt"]);
      expect(await readFile(join(temporary.dir, "note.txt"), "utf8")).toBe(expected);
      expect(await contentOf(exported, first)).toBe("first");
      expect(await contentOf(exported, later)).toBe("later");
      expect(await verifyExport(temporary.dir)).toEqual([]);
    },
  );

  it("[K44] aside: the copy is on disk below .izo-conflicts", async () => {
    await using temporary = await temporaryDirectory();
    await writeFile(join(temporary.dir, "note.txt"), "as both know it");
    const conflictPolicies: readonly PolicyRule[] = [{ path: "*.txt", policy: "aside" }];
    await using exported = await openTestExport(temporary.dir, { conflictPolicies });
    await editTwice(exported);
    const [copy = ""] = await readdir(join(temporary.dir, ".izo-conflicts"));
    expect(copy).toMatch(/^note\.conflict-.+-laptop\.txt$/);
    expect(await readFile(join(temporary.dir, ".izo-conflicts", copy), "utf8")).toBe("later");
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });
});
