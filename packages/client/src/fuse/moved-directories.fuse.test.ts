/**
 * Directories that others move while programs here have them open. The kernel has one entry of each, which it moves
 * when a look-up finds the directory elsewhere, and where it cannot, the look-up fails with ESTALE: no local file
 * system shows that to a program.
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { AT_FDCWD, renameat2 } from "@izo/sys";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { type ServedMount, servePassThrough } from "./testing/served-mount.ts";

/** Moves a directory to and fro, from one directory into another, until it is told to end: locks as any such rename. */
const RENAMING = `
  const { renameSync } = require("node:fs");
  const { parentPort, workerData } = require("node:worker_threads");
  const isOver = new Int32Array(workerData.isOver);
  parentPort.postMessage("begins");
  while (Atomics.load(isOver, 0) === 0) {
    renameSync(workerData.from, workerData.to);
    renameSync(workerData.to, workerData.from);
  }
`;

/** With `fuse-native` every name is a node of its own, which programs see by its inode number. */
describe("[C7] a directory that others move", () => {
  let served: ServedMount;
  let cases = 0;

  beforeAll(async () => {
    served = await servePassThrough("kernel");
  });

  afterAll(async () => {
    await served[Symbol.asyncDispose]();
  });

  /** A directory with some below it, `at` as programs have it, and moves as others make them. */
  function set(...names: string[]) {
    cases += 1;
    const top = `case-${cases}`;
    mkdirSync(join(served.mountPoint, top));
    const at = (name: string) => join(served.mountPoint, top, name);
    for (const name of names) mkdirSync(at(name));
    const behind = (name: string) => join(served.backing, top, name);
    const move = async (from: string, to: string) => {
      renameSync(behind(from), behind(to));
      await served.ask({ ask: "invalidate", paths: [`${top}/${from}`, `${top}/${to}`] });
    };
    return { at, move };
  }

  const open: number[] = [];

  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd);
  });

  /** Opens a directory until the end of the test. */
  function hold(path: string): number {
    const fd = openSync(path, "r");
    open.push(fd);
    return fd;
  }

  test("can be moved on at once from where nobody has looked yet, though it is open", async () => {
    const { at, move } = set("a", "b", "c", "a/x");
    hold(at("a/x"));
    const { ino } = lstatSync(at("a/x"));
    await move("a/x", "b/x");
    renameSync(at("b/x"), at("c/y"));
    expect(lstatSync(at("c/y")).ino).toBe(ino);
    expect([readdirSync(at("b")), readdirSync(at("c"))]).toEqual([[], ["y"]]);
  });

  test("takes along who has it open once somebody looks, also after a rename that could not", async () => {
    const { at, move } = set("a", "b", "c", "a/x");
    const fd = hold(at("a/x"));
    await move("a/x", "b/x");
    renameSync(at("b/x"), at("c/y"));
    const shown = () => {
      lstatSync(at("c/y"));
      return readlinkSync(`/proc/self/fd/${fd}`);
    };
    await expect.poll(shown).toBe(at("c/y"));
  });

  test("can be replaced, and exchanged, where nobody has looked yet, though both are open", async () => {
    const { at, move } = set("a", "b", "c", "a/x", "a/y", "a/z", "c/w");
    hold(at("a/x"));
    hold(at("a/y"));
    hold(at("a/z"));
    await move("a/x", "b/x");
    await move("a/y", "c/y");
    await move("a/z", "b/z");
    const inos = [lstatSync(at("b")).ino];
    renameat2(AT_FDCWD, at("b/x"), AT_FDCWD, at("c/y"), { exchange: true });
    renameSync(at("c/w"), at("b/z"));
    expect(readdirSync(at("b")).toSorted()).toEqual(["x", "z"]);
    expect(readdirSync(at("c"))).toEqual(["y"]);
    expect([lstatSync(at("b")).ino]).toEqual(inos);
  });

  test("is what programs have open, under its new name too", async () => {
    const { at, move } = set("a", "b", "c", "a/x");
    const fd = hold(at("a/x"));
    await move("a/x", "b/x");
    renameSync(at("b/x"), at("c/x"));
    const through = `/proc/self/fd/${fd}`;
    writeFileSync(join(through, "one"), "1");
    await expect.poll(() => readdirSync(at("c/x"))).toEqual(["one"]);
    mkdirSync(at("c/x/two"));
    await expect.poll(() => readdirSync(through).toSorted()).toEqual(["one", "two"]);
    await expect.poll(() => lstatSync(join(through, "two")).isDirectory()).toBe(true);
    rmdirSync(join(through, "two"));
    await expect.poll(() => readdirSync(at("c/x"))).toEqual(["one"]);
  });

  test("can be looked up in what was below it, by who has that open", async () => {
    const { at, move } = set("a", "a/x", "a/x/y");
    const fd = hold(at("a/x/y"));
    await move("a/x/y", "y");
    await move("a/x", "y/x");
    expect(lstatSync(`/proc/self/fd/${fd}/x`).isDirectory()).toBe(true);
  });

  test(
    "never shows ESTALE to who looks at it while others rename",
    { timeout: 60_000 },
    async () => {
      const { at, move } = set("a", "b", "c", "d", "a/x", "c/other");
      const isOver = new SharedArrayBuffer(4);
      const workerData = { isOver, from: at("c/other"), to: at("d/other") };
      const worker = new Worker(RENAMING, { eval: true, workerData });
      const begun = Promise.withResolvers<void>();
      worker.once("message", () => begun.resolve());
      await begun.promise;
      const failed: Record<string, number> = {};
      try {
        for (let round = 0; round < 300; round += 1) {
          const [from, to] = round % 2 === 0 ? ["a/x", "b/x"] : ["b/x", "a/x"];
          hold(at(from));
          await move(from, to);
          try {
            expect(lstatSync(at(to)).isDirectory()).toBe(true);
          } catch (error) {
            const code = String((error as NodeJS.ErrnoException).errno);
            failed[code] = (failed[code] ?? 0) + 1;
          }
        }
      } finally {
        Atomics.store(new Int32Array(isOver), 0, 1);
        await worker.terminate();
      }
      expect(failed).toEqual({});
    },
  );

  test("is forgotten under all of its numbers", async () => {
    for (const name of readdirSync(served.mountPoint))
      rmSync(join(served.mountPoint, name), { recursive: true });
    // The root is left.
    await expect.poll(async () => (await served.ask({ ask: "count" })).nodeCount).toBe(1);
    expect((await served.ask({ ask: "count" })).errors).toEqual([]);
  });
});
