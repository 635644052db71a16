import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { tryIzo } from "../hosts/cli.ts";
import { replayManifest } from "../hosts/replay-manifest.ts";
import { fillDisk, mountSmallDisk } from "../hosts/small-disk.ts";
import { diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

const STATE = ".intermezzo/rootfset";

/** Overwrites bytes in the middle of a file. */
function damage(path: string, offset: number): void {
  const fd = openSync(path, "r+");
  writeSync(fd, "damage", offset);
  closeSync(fd);
}

test("a damaged log is named, a torn tail is cut, a damaged index is rebuilt", async () => {
  await using world = await createWorld();
  for (let file = 0; file < 50; file++) {
    writeFileSync(join(world.exportDir, `file-${file}`), `content ${file}`);
  }
  let server = await world.serve();
  const client = await world.mount("client1", "replica");
  const head = await settle(server, client);
  await server.stop();

  const state = join(world.exportDir, STATE);
  damage(join(state, "index.sqlite"), 0);
  server = await world.serve();
  expect((await server.status()).headRecno).toBe(head);
  expect(readFileSync(join(world.directory, "server.log"), "utf8")).toContain("damaged");
  await server.kill();

  const [segment = ""] = readdirSync(join(state, "kml"));
  const path = join(state, "kml", segment);
  const { size } = statSync(path);
  writeFileSync(path, "half a record", { flag: "a" });
  server = await world.serve();
  expect((await server.status()).headRecno).toBe(head);
  await settle(server, client);
  expect(await differences(world, [client])).toEqual([]);
  expect(
    diffManifests(await treeManifest(world.exportDir), replayManifest(world.exportDir)),
  ).toEqual([]);
  await server.stop();

  expect(statSync(path).size).toBe(size);
  damage(path, Math.floor(size / 2));
  const { status, stderr } = await tryIzo(["serve", world.exportDir, "--listen", "127.0.0.1:0"]);
  expect(stderr).toMatch(new RegExp(`Cannot read ${segment} at offset \\d+`));
  expect(status).toBe(5);
  // The files themselves are as they were, and so is what the client holds.
  expect(readFileSync(join(world.exportDir, "file-7"), "utf8")).toBe("content 7");
  expect(readFileSync(join(client.mountPoint, "file-7"), "utf8")).toBe("content 7");
});

test("a full disk under the export or under a cache: a clear error, and it goes on when there is space", async () => {
  await using world = await createWorld();
  await mountSmallDisk(world.exportDir, 24);
  await mountSmallDisk(join(world.directory, "client1"), 24);
  writeFileSync(join(world.exportDir, "before"), "before");
  const server = await world.serve();
  const client1 = await world.mount("client1", "on-demand");
  const client2 = await world.mount("client2", "on-demand");
  // Open, so that it is here and stays: what is not here cannot be fetched to a full disk.
  const before = openSync(join(client1.mountPoint, "before"), "r");

  const fillerOfExport = await fillDisk(join(world.exportDir, STATE));
  const megabyte = Buffer.alloc(1024 * 1024, "m");
  writeFileSync(join(client2.mountPoint, "large"), megabyte);
  const flush = await tryIzo(["flush", client2.mountPoint, "--timeout", "5"]);
  expect(flush.status).toBe(6);
  expect(flush.stderr).toMatch(/hint: \d+ changes wait/);
  expect(JSON.stringify(await client2.status())).toContain("no-space");
  expect(JSON.stringify(await server.status())).toContain("the disk");
  expect(readFileSync(join(client2.mountPoint, "large"))).toEqual(megabyte);
  unlinkSync(fillerOfExport);
  await settle(server, client2, client1);
  expect(readFileSync(join(world.exportDir, "large"))).toEqual(megabyte);

  const fillerOfCache = await fillDisk(join(world.directory, "client1"));
  expect(() => writeFileSync(join(client1.mountPoint, "too-much"), megabyte)).toThrow("ENOSPC");
  expect(readFileSync(join(client1.mountPoint, "before"), "utf8")).toBe("before");
  closeSync(before);
  unlinkSync(join(client1.mountPoint, "before"));
  truncateSync(fillerOfCache, 0);
  writeFileSync(join(client1.mountPoint, "too-much"), megabyte);
  await settle(server, client1, client2);
  expect(readFileSync(join(client2.mountPoint, "too-much"))).toEqual(megabyte);
  expect(await differences(world, [client1, client2])).toEqual([]);
  expect(JSON.stringify(await server.status())).not.toContain("the disk");
  for (const place of [world.exportDir, client1.mountPoint]) {
    expect((await tryIzo(["verify", place])).stdout).toContain("all agree");
  }
});
