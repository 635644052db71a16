import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { expect, test } from "vitest";

import { appears } from "../hosts/appears.ts";
import { readServerLog } from "../hosts/replay-manifest.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

const FILES = Number(process.env["IZO_E2E_RENAME_FILES"] ?? 10_000);
/** In directories of so many, as they are found in practice. */
const FILES_PER_DIRECTORY = 1000;

test("renaming a directory of 20,000 files is one record, seen in under a second, nothing fetched again", async () => {
  await using world = await createWorld();
  for (let file = 0; file < FILES; file++) {
    const directory = join(
      world.exportDir,
      "before",
      String(Math.floor(file / FILES_PER_DIRECTORY)),
    );
    if (file % FILES_PER_DIRECTORY === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, String(file)), `content of ${file}\n`);
  }
  const server = await world.serve();
  const client1 = await world.mount("client1", "replica");
  const client2 = await world.mount("client2", "replica");
  // Everything is looked at and fetched: nothing of the rename may be put off.
  expect(await differences(world, [client1, client2])).toEqual([]);
  const before = await settle(server, client1, client2);
  const servedBefore = await server.metric("izo_served_bytes_total");

  renameSync(join(client1.mountPoint, "before"), join(client1.mountPoint, "after"));
  const delayMs = await appears("the new name", () => {
    return readdirSync(client2.mountPoint).includes("after");
  });
  const last = join(
    client2.mountPoint,
    "after",
    String(Math.floor((FILES - 1) / FILES_PER_DIRECTORY)),
  );
  expect(readdirSync(last)).toContain(String(FILES - 1));
  console.log(`rename of ${FILES} files → seen: ${delayMs.toFixed(1)} ms`);
  expect(delayMs).toBeLessThan(1000);

  expect(await settle(server, client1, client2)).toBe(before + 1);
  expect([...readServerLog(world.exportDir)].at(-1)?.operation.opcode).toBe("RENAME");
  // The record itself, to two clients; a single content would be more.
  expect((await server.metric("izo_served_bytes_total")) - servedBefore).toBeLessThan(4096);

  // The same from the export's own disk, where the watcher must recognise it.
  renameSync(join(world.exportDir, "after"), join(world.exportDir, "again"));
  await appears("the local rename", () => readdirSync(client1.mountPoint).includes("again"));
  expect(await settle(server, client1, client2)).toBe(before + 2);
  // All was compared before: what moved moved as one, so that a part of it stands for the rest.
  for (const part of ["again/0", `again/${basename(last)}`]) {
    expect(await differences(world, [client1, client2], part)).toEqual([]);
  }
});
