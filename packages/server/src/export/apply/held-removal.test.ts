import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type ClientOperation, ROOT_OID } from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { verifyExport } from "../verify-export.ts";

/** Removes 31 of 32 names while nothing serves them; the directory that held them is gone too. */
async function loseMost(dir: string): Promise<void> {
  await mkdir(join(dir, "d/e"), { recursive: true });
  for (let index = 0; index < 29; index += 1) await writeFile(join(dir, `d/e/${index}`), "held");
  await writeFile(join(dir, "stays"), "stays");
  {
    await using exported = await openTestExport(dir);
    expect(exported.status().heldRemoval).toBeNull();
  }
  await rm(join(dir, "d"), { recursive: true });
}

function entryAt(exported: Export, path: string) {
  const at = path.lastIndexOf("/");
  const { children } = exported.lookUp(path.slice(0, at) || "/")!;
  return children.find(({ entry }) => entry.name === path.slice(at + 1))!;
}

function removalOf(exported: Export, path: string): ClientOperation {
  const { object, entry } = entryAt(exported, path);
  const { oid, contentVersion: contentBase } = object;
  const { parent, name, version: nameBase } = entry;
  return { opcode: "UNLINK", oid, parent, name, path, nameBase, contentBase, isLastName: true };
}

function opcodesAfter(exported: Export, recno: number): string[] {
  const chunk = exported.readLog(exported.positionAt(recno as never), {});
  return [...chunk.records()].map(({ operation }) => operation.opcode);
}

describe("a removal that is held [S4]", () => {
  it("stays held when a client edits one of its files, which is there again", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await loseMost(dir);
    await using exported = await openTestExport(dir);
    const head = exported.headPosition.recno;
    const peer = new TestPeer(exported);
    const { oid, contentVersion } = exported.lookUp("/d/e/3")!.object;
    await peer.stage("edited");
    await peer.push(closeFile(oid, "edited", contentVersion, "/d/e/3"));
    expect(await readFile(join(dir, "d/e/3"), "utf8")).toBe("edited");
    expect(opcodesAfter(exported, head).filter((opcode) => opcode === "UNLINK")).toHaveLength(1);
    await exported.settle();
    for (let index = 0; index < 29; index += 1) {
      expect(exported.lookUp(`/d/e/${index}`)).not.toBeNull();
    }
    await exported.rescan();
    expect(exported.status().heldRemoval).toEqual({ removed: 28, objects: 32 });
    await exported.confirmRemoval();
    expect(exported.status()).toMatchObject({ files: 2, heldRemoval: null });
  });

  it("stays held when a client moves one of its directories, and what is in it", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await loseMost(dir);
    await using exported = await openTestExport(dir);
    const head = exported.headPosition.recno;
    const { object, entry } = entryAt(exported, "/d/e");
    await new TestPeer(exported).push({
      opcode: "RENAME",
      oid: object.oid,
      contentBase: object.contentVersion,
      fromParent: entry.parent,
      fromName: entry.name,
      fromPath: "/d/e",
      fromBase: entry.version,
      toParent: ROOT_OID,
      toName: "moved" as never,
      toPath: "/moved",
      victim: null,
      keepsOid: false,
      conflict: null,
    });
    expect(opcodesAfter(exported, head)).toEqual(["RENAME"]);
    expect(existsSync(join(dir, "moved"))).toBe(true);
    expect(exported.lookUp("/moved/3")).not.toBeNull();
    await exported.rescan();
    expect(exported.status().heldRemoval).toEqual({ removed: 29, objects: 32 });
  });

  it("stays held when a client makes a file in one of its directories", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await loseMost(dir);
    await using exported = await openTestExport(dir);
    const head = exported.headPosition.recno;
    const parent = exported.lookUp("/d/e")!.object.oid;
    await new TestPeer(exported).push(createFile("new", undefined, parent));
    await exported.settle();
    expect(opcodesAfter(exported, head)).toEqual(["CREATE"]);
    await exported.confirmRemoval();
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("gives up the one name that a client removes, and no other", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await loseMost(dir);
    await using exported = await openTestExport(dir);
    const head = exported.headPosition.recno;
    const [result] = await new TestPeer(exported).push(removalOf(exported, "/d/e/3"));
    expect(result).toMatchObject({ verdict: "merged" });
    expect(opcodesAfter(exported, head)).toEqual(["UNLINK", "OUTCOME"]);
  });
});
