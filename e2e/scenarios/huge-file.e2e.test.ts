import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { createWorld } from "../hosts/world.ts";

/** Hashing it would take hours. */
const HUGE_BYTES = 8 * 2 ** 40;

function makeHuge(path: string): void {
  const fd = openSync(path, "wx");
  ftruncateSync(fd, HUGE_BYTES);
  closeSync(fd);
}

test("[P3] a huge sparse file holds up nothing but itself", async () => {
  await using world = await createWorld();
  await world.serve();
  await using client = await world.mount("client1", "on-demand");
  const at = (name: string): string => join(client.mountPoint, name);
  makeHuge(at("huge"));
  writeFileSync(at("small"), "small");
  writeFileSync(at("large"), Buffer.alloc(200_000, "large"));
  await expect
    .poll(() => readdirSync(world.exportDir), { timeout: 30_000 })
    .toEqual(expect.arrayContaining(["small", "large"]));
  const sizeOf = (name: string): number => statSync(join(world.exportDir, name)).size;
  await expect.poll(() => sizeOf("large"), { timeout: 30_000 }).toBe(200_000);
  expect(sizeOf("small")).toBe(5);

  // Who removes it wants nothing of it any more.
  rmSync(at("huge"));
  await client.flush();
  // Nor does who unmounts wait for its hash.
  makeHuge(at("huge"));
  await client.unmount();
});
