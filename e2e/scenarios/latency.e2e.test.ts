import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { quantile } from "../hosts/appears.ts";
import { closeToReadable, type HostDirectory } from "../hosts/close-to-readable.ts";
import { memoryMib } from "../hosts/memory-of.ts";
import { createWorld, type World } from "../hosts/world.ts";

const ROUNDS = Number(process.env["IZO_E2E_LATENCY_ROUNDS"] ?? 200);
/** Clients that wait for records, besides those that are measured. */
const FOLLOWERS = Number(process.env["IZO_E2E_LATENCY_FOLLOWERS"] ?? 200);
const FOLLOWED_ROUNDS = 40;

/** What the server may take while all of them wait. */
const MOST_MIB = 400;

/** {@link closeToReadable} below `d`, printed. */
async function measure(
  [from, source]: HostDirectory,
  [to, target]: HostDirectory,
  rounds: number,
  untilReady?: () => Promise<unknown>,
): Promise<{ readonly p50: number; readonly p99: number }> {
  const directories = [
    [from, join(source, "d")],
    [to, join(target, "d")],
  ] as const;
  const delaysMs = await closeToReadable(...directories, rounds, untilReady);
  const p50 = quantile(delaysMs, 0.5);
  const p99 = quantile(delaysMs, 0.99);
  console.log(
    `close → readable, ${from} → ${to}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
  return { p50, p99 };
}

test("what any host closes can soon be read on the other two", async () => {
  await using world = await createWorld();
  mkdirSync(join(world.exportDir, "d"));
  await world.serve();
  const client1 = ["client1", (await world.mount("client1", "on-demand")).mountPoint] as const;
  const client2 = ["client2", (await world.mount("client2", "replica")).mountPoint] as const;
  const server = ["server", world.exportDir] as const;

  for (const [from, to] of [
    [client1, client2],
    [client2, client1],
  ] as const) {
    const { p50, p99 } = await measure(from, to, ROUNDS);
    expect(p50).toBeLessThan(50);
    expect(p99).toBeLessThan(250);
  }
  // The export's own disk: seen there as soon as applied; noticed from there once a file was quiet.
  expect((await measure(client1, server, 50)).p50).toBeLessThan(50);
  expect((await measure(server, client1, 10)).p99).toBeLessThan(1000);
  expect((await measure(server, client2, 10)).p99).toBeLessThan(1000);
});

test(`the same while ${FOLLOWERS} other clients wait for each record`, async () => {
  await using world = await createWorld();
  mkdirSync(join(world.exportDir, "d"));
  const server = await world.serve();
  const client1 = ["client1", (await world.mount("client1", "on-demand")).mountPoint] as const;
  const client2 = ["client2", (await world.mount("client2", "replica")).mountPoint] as const;
  await using _ = await startFollowers(world, server.url);
  const allWait = (): Promise<void> =>
    expect
      .poll(() => server.metric("izo_polls_waiting"), { timeout: 20_000 })
      .toBeGreaterThanOrEqual(FOLLOWERS);
  const { p99 } = await measure(client1, client2, FOLLOWED_ROUNDS, allWait);
  const mib = memoryMib(server.pid);
  console.log(`server of ${FOLLOWERS} waiting clients: ${mib.toFixed(0)} MiB`);
  expect(p99).toBeLessThan(1000);
  expect(mib).toBeLessThan(MOST_MIB);
});

/** They run on the server's machine, so that their work comes from no client's share. */
async function startFollowers(world: World, url: string): Promise<AsyncDisposable> {
  const program = join(import.meta.dirname, "../hosts/followers.ts");
  const command = [process.execPath, "--conditions=izo:source", program, url, String(FOLLOWERS)];
  const [file = "", ...rest] = world.server.inside(command);
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data", { signal: AbortSignal.timeout(30_000) });
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
