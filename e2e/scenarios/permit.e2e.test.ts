import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { izoJson } from "../hosts/cli.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

const TERM_SECONDS = "3";

/** What a program gets that writes a file: nothing, or the code of an error. */
function write({ mountPoint }: MountProcess, name: string, content: string): unknown {
  try {
    writeFileSync(join(mountPoint, name), content);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

/** Edits the note, then makes files, until that is refused: with what, and the contents written before. */
async function writeUntilRefused(
  client: MountProcess,
): Promise<{ readonly code: unknown; readonly written: readonly string[] }> {
  const written: string[] = [];
  for (;;) {
    const name = written.length === 0 ? "note.txt" : `new-${written.length}`;
    const content = `offline ${written.length}`;
    const code = write(client, name, content);
    if (code !== undefined) return { code, written };
    written.push(content);
    // oxlint-disable-next-line no-await-in-loop -- a program that goes on as long as it may
    await delay(50);
  }
}

/** The holder of a short lease may have to wait for its renewal on a busy machine. */
async function untilWritten(client: MountProcess, name: string, content: string): Promise<void> {
  await expect.poll(() => write(client, name, content), { timeout: 10_000 }).toBeUndefined();
}

async function take({ mountPoint }: MountProcess): Promise<void> {
  await izoJson(["permit", mountPoint, "take", "--timeout", "40"]);
}

test("a holder that is cut off stops before its permit is passed on, and nothing of it is lost", async () => {
  await using world = await createWorld();
  writeFileSync(join(world.exportDir, "note.txt"), "as both know it");
  const server = await world.serve("--permit-term", TERM_SECONDS);
  const [client1, client2] = await Promise.all([
    world.mount("client1", "replica", "--permit", "required"),
    world.mount("client2", "replica", "--permit", "required"),
  ]);
  expect([write(client1, "a", ""), write(client2, "a", "")]).toEqual(["EROFS", "EROFS"]);
  await take(client1);
  await untilWritten(client1, "a", "");
  expect(write(client2, "b", "")).toBe("EROFS");

  await world.client1.cut();
  const [{ code, written }] = await Promise.all([
    writeUntilRefused(client1),
    // Whoever is granted it finds the other stopped.
    take(client2).then(() => expect(write(client1, "late", "")).toBe("EROFS")),
  ]);
  expect(code).toBe("EROFS");
  await untilWritten(client2, "note.txt", "under the second permit");

  await client2.flush();
  await world.client1.heal();
  await settle(server, client1, client2);
  expect(await differences(world, [client1, client2])).toEqual([]);
  const contents = readdirSync(world.exportDir)
    .filter((name) => name !== ".intermezzo")
    .map((name) => readFileSync(join(world.exportDir, name), "utf8"));
  expect(contents).toEqual(expect.arrayContaining([...written, "under the second permit"]));

  expect(write(client1, "late", "")).toBe("EROFS");
  await take(client1);
  await untilWritten(client1, "c", "");
  expect(write(client2, "d", "")).toBe("EROFS");
});
