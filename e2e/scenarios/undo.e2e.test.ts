/**
 * One host removes a directory of many files, while another one goes on working in it and beside it. The
 * removal is undone from a third place: everything is back, under its ids, and nothing that the other
 * host did meanwhile is lost. What was left alone for that is restored on a mount. `IZO_UNDO_FILES=10000` is the full size.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { izoJson, tryIzo } from "../hosts/cli.ts";
import { runCommand } from "../hosts/run-command.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

const FILES = Number(process.env["IZO_UNDO_FILES"] ?? 500);
const PER_DIRECTORY = 100;

interface Undone {
  readonly operations: readonly unknown[];
  readonly leftAlone: readonly { readonly path: string; readonly reason: string }[];
  readonly otherwise: readonly unknown[];
}

interface LogLine {
  readonly opcode: string;
  readonly operation: { readonly oid: string; readonly path: string };
  readonly origin: { readonly peer: string };
}

const pathOf = (index: number): string =>
  `work/dir-${Math.floor(index / PER_DIRECTORY)}/file-${index}`;
const textOf = (index: number): string => `content of file ${index}\n`.repeat(1 + (index % 40));

/** Writes one small file after another until it is stopped; gives how many. */
function keepWorking(directory: string): { stop(): Promise<number> } {
  const over = new AbortController();
  const work = (async () => {
    let count = 0;
    for (; !over.signal.aborted; count += 1) {
      writeFileSync(join(directory, `note-${count}`), `note ${count}`);
      await delay(50);
    }
    return count;
  })();
  return {
    stop: () => {
      over.abort();
      return work;
    },
  };
}

test(
  `the removal of ${FILES} files by one host is undone while another host goes on working [D1] [P1]`,
  async () => {
    await using world = await createWorld();
    const { exportDir } = world;
    const all = Array.from({ length: FILES }, (_, index) => index);
    for (const index of all) {
      if (index % PER_DIRECTORY === 0) {
        mkdirSync(join(exportDir, pathOf(index), ".."), { recursive: true });
      }
      writeFileSync(join(exportDir, pathOf(index)), textOf(index), { mode: 0o640 });
    }
    // So much stays that the removal is none of nearly everything, which would be held.
    mkdirSync(join(exportDir, "kept"));
    for (let index = 0; index < FILES / 5; index += 1) {
      writeFileSync(join(exportDir, "kept", `${index}`), "");
    }
    const server = await world.serve();
    const [careless, busy] = [
      await world.mount("client1", "on-demand"),
      await world.mount("client2", "on-demand"),
    ];
    const before = await settle(server, careless, busy);
    const log = async (): Promise<LogLine[]> => {
      const { stdout } = await tryIzo(["log", busy.mountPoint, "--json"], {
        prefix: world.client2.inside,
      });
      return stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as LogLine);
    };
    const made = new Map(
      (await log())
        .filter(({ opcode }) => opcode === "CREATE" || opcode === "MKDIR")
        .map(({ operation }) => [operation.path, operation.oid]),
    );

    const work = keepWorking(join(busy.mountPoint, "kept"));
    writeFileSync(join(busy.mountPoint, pathOf(0)), "edited before");
    await busy.flush();
    await settle(server, careless);
    await runCommand(["rm", "-r", join(careless.mountPoint, "work")], { timeoutMs: 300_000 });
    await careless.flush(280);
    // The other host has seen the removal, and uses some of the names for something else.
    await settle(server, busy);
    mkdirSync(join(busy.mountPoint, "work/dir-1"), { recursive: true });
    writeFileSync(join(busy.mountPoint, pathOf(PER_DIRECTORY)), "somebody else's");
    await busy.flush();
    const removal = (await log()).findLast(({ opcode }) => opcode === "RMDIR")!;

    // From the server's host, where there is no mount: no content can come from there.
    const url = `http://${world.server.address}:8370/rootfset`;
    const startedMs = Date.now();
    const undone = await izoJson<Undone>(
      ["undo", url, "--range", `${before}..`, "--peer", removal.origin.peer, "--yes"],
      { prefix: world.server.inside, timeoutMs: 600_000 },
    );
    const undoMs = Date.now() - startedMs;
    const notes = await work.stop();
    await settle(server, careless, busy);
    console.log(
      `${FILES} files: ${undone.operations.length} operations in ${undoMs} ms, ${notes} files written meanwhile`,
    );

    expect(undone.otherwise).toEqual([]);
    expect(undone.leftAlone).toMatchObject([
      { path: `/${pathOf(PER_DIRECTORY)}`, reason: "name-taken" },
    ]);
    const expected = (index: number): string => {
      if (index === 0) return "edited before";
      return index === PER_DIRECTORY ? "somebody else's" : textOf(index);
    };
    for (const index of all) {
      const file = join(exportDir, pathOf(index));
      expect({ file, text: readFileSync(file, "utf8") }).toEqual({ file, text: expected(index) });
    }
    for (let note = 0; note < notes; note += 1) {
      expect(readFileSync(join(exportDir, "kept", `note-${note}`), "utf8")).toBe(`note ${note}`);
    }
    expect(statSync(join(exportDir, pathOf(1))).mode & 0o777).toBe(0o640);
    const returned = (await log()).filter(
      ({ opcode, operation }) => opcode === "CREATE" && operation.path.startsWith("/work/dir-0/"),
    );
    const again = returned.filter(({ operation }) => made.get(operation.path) === operation.oid);
    // Made at first, and again under the same id.
    expect(again).toHaveLength(2 * Math.min(FILES, PER_DIRECTORY));

    // What was left alone can be had all the same, over what has its name: a save like any editor's.
    const { inside } = world.client2;
    const left = join(busy.mountPoint, pathOf(PER_DIRECTORY));
    const restore = ["restore", left, "--at", String(before)];
    const refused = await tryIzo(restore, { prefix: inside });
    expect(refused).toMatchObject({ status: 4 });
    expect(readFileSync(left, "utf8")).toBe("somebody else's");
    await izoJson([...restore, "--overwrite"], { prefix: inside });
    expect(readFileSync(left, "utf8")).toBe(textOf(PER_DIRECTORY));
    await settle(server, busy, careless);
    const saved = await tryIzo(["log", left, "--json"], { prefix: inside });
    const last = JSON.parse(saved.stdout.trimEnd().split("\n").at(-1)!) as LogLine;
    expect(last).toMatchObject({ opcode: "RENAME", operation: { keepsOid: true } });
    expect(await differences(world, [careless])).toEqual([]);
  },
  FILES > 1000 ? 900_000 : 300_000,
);
