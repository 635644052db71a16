import { writeFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../testing/test-peer.ts";
import { openReader } from "./open-index.ts";
import { sumFiles } from "./totals.ts";

it("sumFiles() says what counting says, whatever was done to files", async () => {
  await using temporary = await temporaryDirectory();
  for (const name of ["kept", "edited", "removed"])
    await writeFile(join(temporary.dir, name), name);
  await using exported = await openTestExport(temporary.dir);
  const peer = new TestPeer(exported);
  const made = createFile("made");
  await peer.push(made);
  await peer.stage("some content");
  const { contentVersion } = exported.lookUp("/made")!.object;
  await peer.push(closeFile(made.oid, "some content", contentVersion, "/made"));
  await writeFile(join(temporary.dir, "edited"), "edited to be longer");
  await rm(join(temporary.dir, "removed"));
  const isLogged = (): boolean =>
    exported.lookUp("/edited")!.object.sizeBytes === 19 && exported.lookUp("/removed") === null;
  while (!isLogged()) await exported.waitForRecno(exported.headPosition.recno, 10_000);

  // Atomic saves and merges end one object for another.
  const twice = createFile("made");
  await peer.stage("made twice");
  const own = { peer: peer.peer, recno: peer.nextRecno };
  await peer.push(twice, closeFile(twice.oid, "made twice", own, "/made"));

  const connection = openReader(join(exported.stateDirectory, "index.sqlite"));
  const counted = connection
    .prepare<[], { files: number; bytes: number }>(
      "SELECT count(*) AS files, sum(size_bytes) AS bytes FROM objects WHERE kind = 'file' AND to_recno IS NULL",
    )
    .get();
  expect(counted).toMatchObject({ bytes: 4 + 19 + 12 + 10 });
  expect(sumFiles(connection)).toEqual(counted);
  connection.close();
});
