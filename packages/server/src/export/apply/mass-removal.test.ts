import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type ClientOperation, ROOT_OID } from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { createFile, TestPeer } from "../../testing/test-peer.ts";
import { MassRemovalError } from "../errors.ts";
import type { Export } from "../export.ts";

/** Removals of all files in the root. */
function removalsOf(exported: Export): ClientOperation[] {
  return exported.lookUp("/")!.children.map(({ entry, object }) => ({
    opcode: "UNLINK",
    oid: object.oid,
    parent: ROOT_OID,
    name: entry.name,
    path: `/${entry.name}`,
    nameBase: entry.version,
    contentBase: object.contentVersion,
    isLastName: true,
  }));
}

describe("reintegrate() of a removal of nearly everything", () => {
  it("takes nothing of it unless a person has confirmed it", async () => {
    await using temporary = await temporaryDirectory();
    for (let index = 0; index < 25; index += 1) {
      await writeFile(join(temporary.dir, `file-${index}`), "x");
    }
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const head = exported.headPosition;
    const operations = [...removalsOf(exported), createFile("new")];
    const records = operations.map((operation) => peer.record(operation));
    await expect(peer.send(records)).rejects.toThrow(MassRemovalError);
    expect(exported.headPosition).toEqual(head);
    expect(await readdir(temporary.dir)).toHaveLength(26);
    const received = { recno: 0 as typeof head.recno, check: "0".repeat(16) };
    await exported.reintegrate({
      peer: peer.peer,
      host: "laptop",
      received,
      records,
      isRemovalConfirmed: true,
    });
    expect((await readdir(temporary.dir)).toSorted()).toEqual([".intermezzo", "new"]);
  });

  it("takes the removal of a part, and of all of a small fileset", async () => {
    await using temporary = await temporaryDirectory();
    for (let index = 0; index < 25; index += 1) {
      await writeFile(join(temporary.dir, `file-${index}`), "x");
    }
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const removals = removalsOf(exported);
    await peer.push(...removals.slice(0, 20));
    await peer.push(...removals.slice(20));
    expect(await readdir(temporary.dir)).toEqual([".intermezzo"]);
  });
});
