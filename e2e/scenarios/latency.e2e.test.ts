import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { appears, quantile, textOf } from "../hosts/appears.ts";
import { createWorld } from "../hosts/world.ts";

const ROUNDS = Number(process.env["IZO_E2E_LATENCY_ROUNDS"] ?? 200);

test("what any host closes can soon be read on the other two", async () => {
  await using world = await createWorld();
  mkdirSync(join(world.exportDir, "d"));
  await world.serve();
  const client1 = await world.mount("client1", "on-demand");
  const client2 = await world.mount("client2", "replica");
  const roots = {
    server: world.exportDir,
    client1: client1.mountPoint,
    client2: client2.mountPoint,
  };

  const measure = async (from: keyof typeof roots, to: keyof typeof roots, rounds: number) => {
    const delays: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const name = `d/${from}-${to}-${round % 20}`;
      const text = `round ${round} from ${from} to ${to}\n`;
      writeFileSync(join(roots[from], name), text);
      delays.push(await appears(`${name} on ${to}`, () => textOf(join(roots[to], name)) === text));
    }
    const p50 = quantile(delays, 0.5);
    const p99 = quantile(delays, 0.99);
    console.log(
      `close → readable, ${from} → ${to}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    );
    return { p50, p99 };
  };

  for (const [from, to] of [
    ["client1", "client2"],
    ["client2", "client1"],
  ] as const) {
    const { p50, p99 } = await measure(from, to, ROUNDS);
    expect(p50).toBeLessThan(50);
    expect(p99).toBeLessThan(250);
  }
  // The export's own disk: seen there as soon as applied; noticed from there once a file was quiet.
  expect((await measure("client1", "server", 50)).p50).toBeLessThan(50);
  expect((await measure("server", "client1", 10)).p99).toBeLessThan(1000);
  expect((await measure("server", "client2", 10)).p99).toBeLessThan(1000);
});
