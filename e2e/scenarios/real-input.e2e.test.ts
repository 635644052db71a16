import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { MountProcess } from "../hosts/mount-process.ts";
import { makeRealInput } from "../hosts/real-input.ts";
import { replayManifest } from "../hosts/replay-manifest.ts";
import { runCommand } from "../hosts/run-command.ts";
import type { ServerProcess } from "../hosts/server-process.ts";
import { countFiles, diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { createWorld, differences, settle, type World } from "../hosts/world.ts";

/** Copies of the checkout's packages in the export: 2 are over 20,000 files. */
const COPIES = Number(process.env["IZO_E2E_COPIES"] ?? 2);

/** Every file of the tree is made, fetched or removed once, on a machine with two cores. */
const TREE_MS = 300_000;

function git(cwd: string, ...args: string[]): Promise<string> {
  return runCommand(["git", "-c", "safe.directory=*", ...args], { cwd });
}

function search(cwd: string): Promise<string> {
  const directories = ["packages-1", "project"];
  return runCommand(["rg", "-uu", "--sort=path", "--max-count=2", "hello", ...directories], {
    cwd,
  });
}

/** The hash of an archive of some directories. */
function archive(cwd: string): Promise<string> {
  const tar = "tar --sort=name --mtime=@0 --hard-dereference -c packages-2/zod* project odd";
  return runCommand(["sh", "-c", `${tar} | sha256sum`], { cwd });
}

describe("an export of over 20,000 real files", () => {
  let world: World;
  let server: ServerProcess;
  let onDemand: MountProcess;
  let replica: MountProcess;

  beforeAll(async () => {
    world = await createWorld();
    await makeRealInput(join(world.exportDir, "tree"), { copies: COPIES });
    server = await world.serve();
    onDemand = await world.mount("client1", "on-demand");
    replica = await world.mount("client2", "replica");
  }, TREE_MS);

  // Three trees of so many files are removed, on whatever disk this is.
  afterAll(() => world[Symbol.asyncDispose](), TREE_MS);

  test(
    "is the same tree on the export, in its log, on demand and as a replica",
    { timeout: TREE_MS },
    async () => {
      await settle(server, onDemand, replica);
      const exported = await treeManifest(world.exportDir);
      expect(countFiles(exported)).toBeGreaterThanOrEqual(20_000);
      expect(diffManifests(exported, replayManifest(world.exportDir))).toEqual([]);
      expect(await differences(world, [onDemand, replica])).toEqual([]);
    },
  );

  test("shows Git a clean repository, with the same history", async () => {
    const project = join(onDemand.mountPoint, "tree/project");
    expect(await git(project, "status", "--porcelain")).toBe("");
    await git(project, "fsck", "--strict");
    const history = await git(project, "log", "--format=%H");
    expect(history).toBe(await git(join(world.exportDir, "tree/project"), "log", "--format=%H"));
  });

  test("gives ripgrep the same lines, and tar the same archive", async () => {
    const local = join(world.exportDir, "tree");
    for (const mount of [onDemand, replica]) {
      const mounted = join(mount.mountPoint, "tree");
      expect(await search(mounted)).toBe(await search(local));
      expect(await archive(mounted)).toBe(await archive(local));
    }
  });

  test("lets make and tsc build on the mount, and the other hosts get what they made", async () => {
    const project = join(onDemand.mountPoint, "tree/project");
    await runCommand(["make"], { cwd: project });
    expect(await runCommand([join(project, "hello")])).toBe("hello\n");
    expect(await runCommand(["make"], { cwd: project })).toContain("up to date");

    const tsc = join(import.meta.dirname, "../../node_modules/.bin/tsc");
    const flags = [
      "--outDir",
      "built",
      "--rootDir",
      "src",
      "--target",
      "es2024",
      "--lib",
      "es2024",
    ];
    const sources = ["src/kml/identity.ts", "src/kml/opcode.ts"];
    await runCommand(
      [tsc, "--ignoreConfig", "--module", "esnext", "--types", "", ...flags, ...sources],
      { cwd: project },
    );

    await settle(server, onDemand, replica);
    expect(await runCommand([join(replica.mountPoint, "tree/project/hello")])).toBe("hello\n");
    expect(await differences(world, [onDemand, replica], "tree/project")).toEqual([]);
    const exported = await treeManifest(world.exportDir);
    expect(diffManifests(exported, replayManifest(world.exportDir))).toEqual([]);
  });
});
