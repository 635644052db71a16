import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Name, NO_RECNO, type Recno, ROOT_OID } from "@izo/core";
import { expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../../testing/test-peer.ts";

it("[K42] conflicts() names both sides, the ancestor and the author's record", async () => {
  await using temporary = await temporaryDirectory();
  await writeFile(join(temporary.dir, "note.txt"), "as both know it");
  await using exported = await openTestExport(temporary.dir);
  const { oid, contentVersion, sha256 } = exported.lookUp("/note.txt")!.object;
  expect(exported.conflicts()).toEqual([]);
  expect(exported.countConflicts()).toBe(0);
  const first = new TestPeer(exported);
  await first.stage("ours");
  await first.push(closeFile(oid, "ours", contentVersion));
  const second = new TestPeer(exported);
  await second.stage("theirs, later");
  await second.push(closeFile(oid, "theirs, later", contentVersion));
  expect(exported.countConflicts()).toBe(1);
  expect(exported.conflicts()).toEqual([
    expect.objectContaining({
      copy: expect.objectContaining({
        path: "/note.conflict-20231114T221320Z-laptop.txt",
        sizeBytes: 13,
      }),
      original: expect.objectContaining({ oid, path: "/note.txt", sizeBytes: 4 }),
      host: "laptop",
      time: "2023-11-14T22:13:20Z",
      base: contentVersion,
      ancestor: { sha256, sizeBytes: 15, isKept: true },
      record: {
        recno: exported.headPosition.recno,
        origin: { peer: second.peer, recno: 1 },
        uid: 0,
        command: "test",
      },
    }),
  ]);
});

it("[K42] conflicts() knows no ancestor of what both made, and no conflict of what is resolved", async () => {
  await using temporary = await temporaryDirectory();
  await writeFile(join(temporary.dir, "new"), "made on the server");
  await using exported = await openTestExport(temporary.dir);
  const peer = new TestPeer(exported);
  await peer.stage("made on the laptop");
  const create = createFile("new");
  const made = { peer: peer.peer, recno: peer.nextRecno };
  await peer.push(create, closeFile(create.oid, "made on the laptop", made));
  const [conflict] = exported.conflicts();
  expect(conflict).toMatchObject({ base: NO_RECNO, ancestor: null, original: { path: "/new" } });
  await peer.push({
    opcode: "UNLINK",
    oid: create.oid,
    parent: ROOT_OID,
    name: conflict!.copy.path.slice(1) as Name,
    path: conflict!.copy.path,
    nameBase: (exported.headPosition.recno - 1) as Recno,
    contentBase: exported.headPosition.recno,
    isLastName: true,
  });
  expect(exported.conflicts()).toEqual([]);
});
