import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../../testing/test-peer.ts";
import { verifyExport } from "../verify-export.ts";

/** A directory of the export on which another file system is mounted: nothing can be renamed into it. */
async function mountBelow(dir: string): Promise<AsyncDisposable> {
  await mkdir(dir);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "izo-test", dir]);
  return {
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["--lazy", dir]);
    },
  };
}

describe("an export with another file system mounted in it", () => {
  it("refuses what would go there, keeps its content, and goes on elsewhere [P3]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using _ = await mountBelow(join(dir, "mounted"));
    await writeFile(join(dir, "mounted/f"), "old");
    await using exported = await openTestExport(dir);
    const peer = new TestPeer(exported);
    const { object } = exported.lookUp("/mounted/f")!;
    const directory = exported.lookUp("/mounted")!.object;
    const sha256 = await peer.stage("new");
    const results = await peer.push(
      closeFile(object.oid, "new", object.contentVersion),
      createFile("g", undefined, directory.oid),
      makeDirectory("d"),
    );
    expect(results.map(({ verdict, reason }) => reason ?? verdict)).toEqual([
      "not-storable",
      "not-storable",
      "applied",
    ]);
    expect(await readFile(join(dir, "mounted/f"), "utf8")).toBe("old");
    const kept = await exported.openContent(sha256);
    if (kept?.kind !== "open") throw new Error("Cannot read the content: it is not kept");
    await using content = kept;
    const pieces: Uint8Array[] = [];
    for await (const piece of content.read()) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe("new");
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("gives the content of a file that it could not make a place elsewhere [P3]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using _ = await mountBelow(join(dir, "mounted"));
    await using exported = await openTestExport(dir);
    const peer = new TestPeer(exported);
    const file = createFile("g", undefined, exported.lookUp("/mounted")!.object.oid);
    const base = { peer: peer.peer, recno: peer.nextRecno };
    await peer.stage("new");
    const results = await peer.push(file, closeFile(file.oid, "new", base, "/mounted/g"));
    expect(results.map(({ verdict }) => verdict)).toEqual(["refused", "copied"]);
    const copy = exported
      .lookUp("/")!
      .children.find(({ entry }) => entry.name.startsWith("g.conflict-"));
    expect(await readFile(join(dir, copy!.entry.name), "utf8")).toBe("new");
    expect(await verifyExport(dir)).toEqual([]);
  });
});
