import { readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import type { MountProcess } from "../hosts/mount-process.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

/** Contents of the files of a directory whose names start so, sorted. */
function contentsOf(directory: string, prefix: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .map((name) => readFileSync(join(directory, name), "utf8"))
    .toSorted();
}

function at(client: MountProcess, name: string): string {
  return join(client.mountPoint, name);
}

test("two clients edit one file before either has seen the other: both contents exist, everywhere", async () => {
  await using world = await createWorld();
  writeFileSync(join(world.exportDir, "note.tar.gz"), "as both know it");
  writeFileSync(join(world.exportDir, "doomed.txt"), "as both know it");
  const server = await world.serve();
  const client1 = await world.mount("client1", "on-demand");
  const client2 = await world.mount("client2", "replica");
  for (const client of [client1, client2]) {
    expect(contentsOf(client.mountPoint, "note")).toEqual(["as both know it"]);
  }
  expect(contentsOf(client1.mountPoint, "doomed")).toEqual(["as both know it"]);

  await world.client2.cut();
  writeFileSync(at(client2, "note.tar.gz"), "edited on client 2");
  writeFileSync(at(client2, "new.txt"), "made on client 2");
  unlinkSync(at(client2, "doomed.txt"));
  writeFileSync(at(client1, "note.tar.gz"), "edited on client 1");
  writeFileSync(at(client1, "new.txt"), "made on client 1");
  writeFileSync(at(client1, "doomed.txt"), "edited on client 1");
  await client1.flush();
  // What was written offline is there for its author while nobody else knows of it.
  expect(contentsOf(client2.mountPoint, "note")).toEqual(["edited on client 2"]);
  expect((await client2.status()).pending).toBeGreaterThan(0);
  await world.client2.heal();
  await settle(server, client1, client2, client1);

  expect(await differences(world, [client1, client2])).toEqual([]);
  for (const directory of [world.exportDir, client1.mountPoint, client2.mountPoint]) {
    expect(contentsOf(directory, "note")).toEqual(["edited on client 1", "edited on client 2"]);
    expect(contentsOf(directory, "new")).toEqual(["made on client 1", "made on client 2"]);
    expect(contentsOf(directory, "doomed")).toEqual(["edited on client 1"]);
    // Who was first keeps the name; the copy says whose it is and stays an archive.
    expect(readFileSync(join(directory, "note.tar.gz"), "utf8")).toBe("edited on client 1");
    expect(
      readdirSync(directory).filter((name) => /^note\.conflict-.+\.tar\.gz$/.test(name)),
    ).toHaveLength(1);
  }
});
