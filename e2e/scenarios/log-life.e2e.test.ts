/**
 * A client that is away while the server's log is cut behind it: it is told so when it is back, takes a
 * snapshot, and what it did meanwhile is judged and lost nowhere. Others are connected all the while.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { izoJson, tryIzo } from "../hosts/cli.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

interface Peer {
  readonly peer: string;
  readonly state: string;
  readonly replayedRecno: number;
}

/** All contents below a directory, sorted. */
function contentsBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(".intermezzo"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .toSorted();
}

test("a client that the log has left behind takes a snapshot and keeps what it did, after a kill -9 too", async () => {
  await using world = await createWorld();
  const { exportDir } = world;
  mkdirSync(join(exportDir, "closed"));
  const names = ["both", "doomed", "dropped", "old", "saved", "closed/known"];
  for (const name of names) writeFileSync(join(exportDir, name), `first ${name}`);
  const server = await world.serve();
  const client1 = await world.mount("client1", "on-demand");
  let client2 = await world.mount("client2", "replica");
  await settle(server, client1, client2);
  const here = (name: string) => join(client1.mountPoint, name);
  const away = (name: string) => join(client2.mountPoint, name);
  expect(contentsBelow(client2.mountPoint)).toHaveLength(names.length);

  await world.client2.cut();
  const { recno: cutAt } = await client2.status();
  writeFileSync(away("both"), "both, edited away");
  writeFileSync(away("doomed"), "doomed, edited away");
  unlinkSync(away("dropped"));
  renameSync(away("old"), away("moved"));
  writeFileSync(away("saved.tmp"), "saved away");
  renameSync(away("saved.tmp"), away("saved"));
  mkdirSync(away("made"));
  writeFileSync(away("made/inside"), "made away");
  writeFileSync(away("closed/new"), "put into what is gone");
  unlinkSync(away("closed/known"));

  writeFileSync(here("both"), "both, edited here");
  unlinkSync(here("doomed"));
  rmSync(here("closed"), { recursive: true });
  for (let round = 0; round < 20; round += 1) writeFileSync(here(`other-${round}`), `${round}`);
  await settle(server, client1);

  // A peer that is known holds the log, whoever asks, until it is forgotten.
  const cut = ["truncate", exportDir, "--older-than", "0s"];
  const held = await izoJson<{ oldestRecno: number; heldBy: string | null }>(cut);
  expect(held.oldestRecno).toBeLessThanOrEqual(cutAt + 1);
  expect(held.heldBy).not.toBeNull();
  const { peers } = await izoJson<{ peers: Peer[] }>(["peers", exportDir]);
  const lagging = peers.find(({ peer }) => peer === held.heldBy)!;
  expect(lagging).toMatchObject({ state: "behind", replayedRecno: cutAt });
  await izoJson(["peers", "forget", exportDir, lagging.peer]);
  // The last poll of the other client may be on its way.
  await expect
    .poll(async () => (await izoJson<{ oldestRecno: number }>(cut)).oldestRecno, {
      timeout: 20_000,
    })
    .toBeGreaterThan(cutAt + 1);
  writeFileSync(here("after"), "written after the cut");
  await client1.flush();

  await client2.kill();
  client2 = await world.mount("client2", "replica");
  expect(readFileSync(away("closed/new"), "utf8")).toBe("put into what is gone");
  expect((await client2.status()).pending).toBeGreaterThan(0);
  await world.client2.heal();
  await settle(server, client2, client1, client2);

  expect(await differences(world, [client1, client2])).toEqual([]);
  const expected = [
    "both, edited away",
    "both, edited here",
    "doomed, edited away",
    "first old",
    "made away",
    "put into what is gone",
    "saved away",
    "written after the cut",
    ...Array.from({ length: 20 }, (_, round) => `${round}`),
  ];
  expect(contentsBelow(exportDir)).toEqual(expected.toSorted());
  expect(readFileSync(join(exportDir, "moved"), "utf8")).toBe("first old");
  expect(readFileSync(join(exportDir, "saved"), "utf8")).toBe("saved away");
  expect((await client2.status()).pending).toBe(0);
  const verified = await tryIzo(["verify", exportDir]);
  expect([verified.status, verified.stderr]).toEqual([0, ""]);
});
