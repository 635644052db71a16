import { spawn } from "node:child_process";
import { once } from "node:events";
import { link, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { ROOT_OID, type ClientOperation, type Name, type OriginId, type Recno } from "@izo/core";
import { describe, expect, it } from "vitest";

import { readPush, writePush } from "../testing/crash-export.ts";
import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../testing/test-peer.ts";
import type { CrashLabel } from "./crash-point.ts";
import type { Export } from "./export.ts";
import { verifyExport } from "./verify-export.ts";

const CONTENTS = ["new content", "a edited", "l edited"];

const CRASHING_SERVER = fileURLToPath(new URL("../testing/crash-export.ts", import.meta.url));

/** All kinds of steps: 10 of them, names that move under earlier ones, and a file with three names. */
async function preparePush(exported: Export): Promise<{ peer: TestPeer; text: string }> {
  const peer = new TestPeer(exported);
  const at = (path: string) => {
    const { object } = exported.lookUp(path)!;
    const parent = exported.lookUp(path.slice(0, path.lastIndexOf("/")) || "/")!;
    const { entry } = parent.children.find((child) => child.object.oid === object.oid)!;
    return { object, entry };
  };
  const own = (recno: number): OriginId => ({ peer: peer.peer, recno: recno as Recno });
  const move = (path: string, to: string, over: string | null): ClientOperation => {
    const { object, entry } = at(path);
    const victim = over === null ? null : at(over).object;
    return {
      opcode: "RENAME",
      oid: object.oid,
      contentBase: object.contentVersion,
      fromParent: entry.parent,
      fromName: entry.name,
      fromPath: path,
      fromBase: entry.version,
      toParent: ROOT_OID,
      toName: to as Name,
      toPath: `/${to}`,
      victim: victim && { oid: victim.oid, contentBase: victim.contentVersion, isLastName: true },
      keepsOid: false,
      conflict: null,
    };
  };
  const directory = makeDirectory("new");
  const file = createFile("f", undefined, directory.oid);
  const a = at("/d/a");
  const gone = at("/gone");
  const operations: ClientOperation[] = [
    directory,
    file,
    closeFile(file.oid, "new content", own(2)),
    move("/d", "e", null),
    move("/b", "c", "/c"),
    closeFile(a.object.oid, "a edited", a.object.contentVersion),
    {
      opcode: "SETATTR",
      oid: a.object.oid,
      path: "/d/a",
      attributes: {
        base: a.object.attributesVersion,
        mode: 0o600,
        uid: a.object.uid,
        gid: a.object.gid,
      },
      times: null,
    },
    {
      opcode: "UNLINK",
      oid: gone.object.oid,
      parent: ROOT_OID,
      name: "gone" as Name,
      path: "/gone",
      nameBase: gone.entry.version,
      contentBase: gone.object.contentVersion,
      isLastName: true,
    },
    {
      opcode: "LINK",
      oid: a.object.oid,
      parent: ROOT_OID,
      name: "hard" as Name,
      path: "/",
      conflict: null,
    },
  ];
  const linked = at("/l1").object;
  operations.push(closeFile(linked.oid, "l edited", linked.contentVersion, "/l1"));
  for (const content of CONTENTS) await peer.stage(content);
  return { peer, text: writePush(operations.map((operation) => peer.record(operation))) };
}

async function fill(dir: string): Promise<void> {
  await mkdir(join(dir, "d"));
  for (const name of ["d/a", "b", "c", "gone", "l1"]) await writeFile(join(dir, name), name);
  for (const name of ["l2", "l3"]) await link(join(dir, "l1"), join(dir, name));
}

async function runUntilKilled(
  dir: string,
  path: string,
  { label, count }: Point,
  how: "kill" | "fail" = "kill",
): Promise<void> {
  const child = spawn(
    process.execPath,
    ["--conditions=izo:source", CRASHING_SERVER, dir, path, label, String(count), how],
    { stdio: ["ignore", "inherit", "inherit"], timeout: 15_000 },
  );
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect([code, signal]).toEqual([null, "SIGKILL"]);
}

interface Point {
  readonly label: CrashLabel;
  readonly count: number;
}

const POINTS: Point[] = [
  { label: "items-prepared", count: 1 },
  { label: "intents-written", count: 1 },
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((count) => ({ label: "step-done" as const, count })),
  ...[1, 2, 3].map((count) => ({ label: "half-step" as const, count })),
  { label: "tree-changed", count: 1 },
  { label: "log-synced", count: 1 },
  { label: "index-committed", count: 1 },
];

/** A server with the push at hand, killed at a point of it, or when it has failed there. */
async function killedAt(point: Point, how: "kill" | "fail") {
  await using cleanup = new AsyncDisposableStack();
  const { dir } = cleanup.use(await temporaryDirectory());
  const path = join(cleanup.use(await temporaryDirectory()).dir, "push");
  await fill(dir);
  let peer: TestPeer;
  {
    await using exported = await openTestExport(dir);
    const prepared = await preparePush(exported);
    peer = prepared.peer;
    await writeFile(path, prepared.text);
  }
  await runUntilKilled(dir, path, point, how);
  const exported = cleanup.use(await openTestExport(dir));
  const differences = await verifyExport(dir);
  for (const content of CONTENTS) await peer.resume(exported).stage(content);
  const push = readPush(await readFile(path, "utf8"), peer.peer);
  const held = cleanup.move();
  const dispose = (): Promise<void> => held.disposeAsync();
  return { dir, exported, push, differences, [Symbol.asyncDispose]: dispose };
}

/** The export after a push that met an error at a point, once. */
async function failedAt({ label, count }: Point) {
  await using cleanup = new AsyncDisposableStack();
  const { dir } = cleanup.use(await temporaryDirectory());
  await fill(dir);
  let left = Infinity;
  const reach = (reached: CrashLabel): void => {
    if (reached === label) left -= 1;
    if (left > 0 || reached !== label) return;
    left = Infinity;
    throw new Error("the disk has failed");
  };
  const exported = cleanup.use(await openTestExport(dir, { reach }));
  const { peer, text } = await preparePush(exported);
  const push = readPush(text, peer.peer);
  left = count;
  await expect(exported.reintegrate(push)).rejects.toThrow("the disk has failed");
  for (const content of CONTENTS) await peer.stage(content);
  const held = cleanup.move();
  const dispose = (): Promise<void> => held.disposeAsync();
  return { dir, exported, push, [Symbol.asyncDispose]: dispose };
}

async function expectPushed(dir: string, exported: Export): Promise<void> {
  expect(await verifyExport(dir)).toEqual([]);
  const read = (name: string) => readFile(join(dir, name), "utf8");
  expect(await Promise.all(["new/f", "e/a", "c", "hard", "l1", "l2", "l3"].map(read))).toEqual([
    "new content",
    "a edited",
    "b",
    "a edited",
    ...Array<string>(3).fill("l edited"),
  ]);
  expect((await stat(join(dir, "l3"))).nlink).toBe(3);
  const names = exported.lookUp("/")!.children.map(({ entry }) => entry.name);
  expect(names).toEqual(["c", "e", "hard", "l1", "l2", "l3", "new"]);
}

describe("a server killed in the middle of a push", () => {
  it.each(POINTS)(
    "has each record once after a restart and a resend: killed at $label $count [S1] [P1]",
    async (point) => {
      await using killed = await killedAt(point, "kill");
      const { dir, exported, push } = killed;
      expect(killed.differences).toEqual([]);
      const results = await exported.reintegrate(push);
      expect(results.map(({ verdict }) => verdict)).toEqual(Array(10).fill("applied"));
      await expectPushed(dir, exported);
    },
  );
});

/** The push is answered with an error, and only a part of it is done. */
const FAILURES = POINTS.filter(({ label }) => label !== "half-step");

describe("a server on which a push fails, and that is killed then", () => {
  it.each(FAILURES.filter(({ count }) => [1, 6].includes(count)))(
    "has each record once after a restart and a resend: failed at $label $count [S1] [P1]",
    async (point) => {
      await using killed = await killedAt(point, "fail");
      const { dir, exported, push } = killed;
      expect(killed.differences).toEqual([]);
      const results = await exported.reintegrate(push);
      expect(results.map(({ verdict }) => verdict)).toEqual(Array(10).fill("applied"));
      await expectPushed(dir, exported);
    },
  );
});

describe("a server on which a push fails, and that goes on", () => {
  it.each(FAILURES)(
    "has each record once after a resend: failed at $label $count [S1] [P1]",
    async (point) => {
      await using failed = await failedAt(point);
      const { dir, exported, push } = failed;
      const results = await exported.reintegrate(push);
      expect(results.map(({ verdict }) => verdict)).toEqual(Array(10).fill("applied"));
      await expectPushed(dir, exported);
    },
  );
});
