import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import type { CrowdFigures } from "../hosts/crowd.ts";
import { memoryMib } from "../hosts/memory-of.ts";
import { runCommand } from "../hosts/run-command.ts";
import { createWorld } from "../hosts/world.ts";

/** Of each of the four kinds: 500 clients in all. */
const EACH = Number(process.env["IZO_E2E_CROWD"] ?? 500) / 4;
const SECONDS = 6;

/** What the server may take for all of them, above what it takes alone. */
const MOST_MIB = 300;

const LARGE_BYTES = 20 * 1024 * 1024;

test(`${EACH * 4} clients at once, slow and broken ones among them, leave the others and the server's memory alone`, async () => {
  await using world = await createWorld();
  writeFileSync(join(world.exportDir, "small"), "small\n");
  writeFileSync(join(world.exportDir, "large"), randomBytes(LARGE_BYTES));
  const server = await world.serve();
  const beforeMib = memoryMib(server.pid);
  let mostMib = beforeMib;
  const looking = setInterval(() => (mostMib = Math.max(mostMib, memoryMib(server.pid))), 100);
  const program = join(import.meta.dirname, "../hosts/crowd.ts");
  const command = [process.execPath, "--conditions=izo:source", program, server.url];
  const inside = world.client1.inside([...command, String(EACH), String(SECONDS)]);
  const figures = JSON.parse(
    await runCommand(inside).finally(() => clearInterval(looking)),
  ) as CrowdFigures;
  console.log(
    `${figures.connections} clients: ${figures.requests} requests of a good one, p50 ${figures.p50Ms.toFixed(1)} ms, ` +
      `longest ${figures.longestMs.toFixed(1)} ms; server ${beforeMib.toFixed(0)} → ${mostMib.toFixed(0)} MiB`,
  );
  expect(figures.requests).toBeGreaterThan(20);
  expect(figures.p50Ms).toBeLessThan(100);
  expect(mostMib - beforeMib).toBeLessThan(MOST_MIB);
  // And it goes on as before.
  const client = await world.mount("client2", "on-demand");
  expect(readFileSync(join(client.mountPoint, "small"), "utf8")).toBe("small\n");
});
