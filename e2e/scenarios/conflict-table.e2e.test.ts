import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { tryIzo } from "../hosts/cli.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import type { ServerProcess } from "../hosts/server-process.ts";
import { treeManifest } from "../hosts/tree-manifest.ts";
import { createWorld, differences, settle, type World } from "../hosts/world.ts";
import { act, CONFLICT_ROWS, directoryOf } from "./conflict-rows.ts";

const MARKER = /\.conflict-\d{8}T\d{6}Z-[A-Za-z0-9_-]+/g;
const ROWS = CONFLICT_ROWS.map((row, index) => ({ ...row, index }));

interface Listed {
  readonly copy: { readonly path: string };
  readonly host: string;
}

let world: World;
let server: ServerProcess;
let first: MountProcess;
let later: MountProcess;
/** By the path of the copy, with `*` for what differs between runs. */
let listed: ReadonlyMap<string, Listed>;

// One world for all rows: two people, cut off from each other, then joined.
beforeAll(async () => {
  world = await createWorld();
  for (const { index, before } of ROWS) {
    mkdirSync(join(world.exportDir, directoryOf(index)));
    act(world.exportDir, index, before ?? (() => {}));
  }
  server = await world.serve();
  first = await world.mount("client1", "on-demand");
  later = await world.mount("client2", "replica");
  // A replica is there before its contents are: what is read here has come.
  await treeManifest(later.mountPoint);
  await world.client2.cut();
  for (const row of ROWS) act(later.mountPoint, row.index, row.later);
  writeFileSync(join(later.mountPoint, "last"), "made after all conflicts");
  for (const row of ROWS) act(first.mountPoint, row.index, row.first);
  await first.flush();
  await world.client2.heal();
  await settle(server, first, later, first);
  listed = new Map(
    (await listConflicts(later.mountPoint)).map((one) => [star(one.copy.path), one]),
  );
}, 120_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const star = (path: string): string => path.replaceAll(MARKER, ".conflict-*");

async function listConflicts(what: string, prefix?: World["server"]["inside"]): Promise<Listed[]> {
  const options = prefix === undefined ? {} : { prefix };
  const { status, stdout, stderr } = await tryIzo(["conflicts", what, "--json"], options);
  expect([status, stderr]).toEqual([0, ""]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Listed);
}

/** Runs a command that has to work, and gives what it printed as JSON. */
async function izo(...args: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await tryIzo([...args, "--json"]);
  expect([args, status, stderr]).toEqual([args, 0, ""]);
  return JSON.parse(stdout);
}

/** Paths and contents below a directory, as the rows write them down. */
function contentsOf(root: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    const stat = lstatSync(join(root, path));
    if (stat.isDirectory()) Object.assign(found, { [star(path)]: "/" }, contentsOf(root, path));
    else if (stat.isSymbolicLink()) found[star(path)] = `-> ${readlinkSync(join(root, path))}`;
    else found[star(path)] = readFileSync(join(root, path), "utf8");
  }
  return star(below) === below
    ? found
    : Object.fromEntries(Object.entries(found).map(([path, content]) => [star(path), content]));
}

describe("two people who have not seen each other's change", () => {
  it.each(ROWS)("$description: the same outcome everywhere", ({ index, expected }) => {
    const roots = [world.exportDir, first.mountPoint, later.mountPoint];
    const found = roots.map((root) => contentsOf(join(root, directoryOf(index))));
    expect(found).toEqual([expected, expected, expected]);
  });

  it("all hosts have the same tree, and nothing waits", async () => {
    expect(await differences(world, [first, later])).toEqual([]);
    for (const mount of [first, later]) expect((await mount.status()).pending).toBe(0);
    expect(readFileSync(join(world.exportDir, "last"), "utf8")).toBe("made after all conflicts");
  });

  it("[K42] izo conflicts lists exactly the copies of the table, the same on each host", async () => {
    const expected = ROWS.flatMap(({ index, conflicts = {} }) =>
      Object.keys(conflicts).map((name) => `/${directoryOf(index)}/${name}`),
    );
    expect([...listed.keys()]).toEqual(expected);
    const others = [await listConflicts(first.mountPoint), await listConflicts(world.exportDir)];
    for (const other of others) {
      expect(other.map(({ copy }) => copy.path)).toEqual(
        [...listed.values()].map(({ copy }) => copy.path),
      );
    }
  });

  it("izo conflicts refused tells the later of two what did not take effect", async () => {
    const { stdout } = await tryIzo(["conflicts", "refused", later.mountPoint, "--json"]);
    const refusals = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { reason: string; path: string });
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(
      new Set([
        "edited-since",
        "object-removed",
        "moved-elsewhere",
        "not-empty",
        "cycle",
        "parent-removed",
      ]),
    );
    expect(refusals.find(({ reason }) => reason === "moved-elsewhere")?.path).toMatch(
      /first\.txt$/,
    );
  });

  it("[K38] a copy names the host of its author", () => {
    for (const { host } of listed.values()) expect(host).toBe(hostname().slice(0, 32));
  });

  it("[K42] izo conflicts show says of each what both sides are and what differs", async () => {
    const paths = [...listed.values()].map(({ copy }) => join(later.mountPoint, copy.path));
    const { stdout, stderr } = await tryIzo(["conflicts", "show", ...paths], {
      prefix: world.client2.inside,
    });
    expect(stderr).toBe("");
    const shown = stdout.split(/^(?=copy )/m);
    const expected = ROWS.flatMap(({ conflicts = {} }) => Object.values(conflicts));
    expect(shown).toHaveLength(expected.length);
    for (const [index, parts] of expected.entries()) {
      for (const part of parts) expect(shown[index]).toMatch(part);
    }
  });

  it("izo conflicts resolve settles four of them, for everybody", async () => {
    const decisions = [
      { row: "create and create", how: ["--ours"] },
      { row: "edits of what is no text", how: ["--theirs"] },
      { row: "links to two places", how: ["--both"] },
      { row: "edit and edit", how: ["--merge", "cat %O %B >> %A"] },
    ];
    for (const { row, how } of decisions) {
      const { index, conflicts } = ROWS.find(({ description }) => description === row)!;
      const [name = ""] = Object.keys(conflicts!);
      const { copy } = listed.get(`/${directoryOf(index)}/${name}`)!;
      const path = join(later.mountPoint, copy.path);
      const { status, stderr } = await tryIzo(["conflicts", "resolve", path, ...how], {
        prefix: world.client2.inside,
      });
      expect([row, status, stderr]).toEqual([row, 0, ""]);
    }
    await settle(server, later, first);
    expect(await differences(world, [first, later])).toEqual([]);
    const left = await listConflicts(server.url, world.server.inside);
    expect(left).toHaveLength(listed.size - decisions.length);
    const at = (row: string): string =>
      join(first.mountPoint, directoryOf(ROWS.find((one) => one.description === row)!.index));
    expect(contentsOf(at("create and create"))).toEqual({ "new.tar.gz": "first" });
    expect(contentsOf(at("edits of what is no text"))).toEqual({ "note.txt": "\0the later" });
    expect(Object.values(contentsOf(at("links to two places"))).toSorted()).toEqual([
      "-> here",
      "-> there",
    ]);
    expect(Object.keys(contentsOf(at("edit and edit")))).toEqual(["note.txt"]);
  });

  it("[P3] izo held: a removal of nearly everything waits, and comes back when it is dropped", async () => {
    await izo("offline", later.mountPoint);
    for (const { index } of ROWS)
      rmSync(join(later.mountPoint, directoryOf(index)), { recursive: true });
    writeFileSync(join(later.mountPoint, "last"), "edited beside the removal");
    await izo("online", later.mountPoint);
    const flushed = await tryIzo(["flush", later.mountPoint, "--timeout", "50", "--json"]);
    expect([flushed.status, flushed.stderr]).toEqual([4, expect.stringContaining("removal-held")]);
    expect(readFileSync(join(world.exportDir, "last"), "utf8")).toBe("edited beside the removal");
    const { held } = (await izo("held", later.mountPoint)) as {
      held: { removed: number; names: number };
    };
    expect(held.removed).toBeGreaterThan(held.names * 0.9);
    expect(readdirSync(later.mountPoint)).toEqual(["last"]);
    await izo("held", "drop", later.mountPoint);
    await settle(server, later, first);
    expect(await differences(world, [first, later])).toEqual([]);
    expect(readdirSync(later.mountPoint)).toHaveLength(ROWS.length + 1);
  });
});
