import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test, vi } from "vitest";

import { DIRECT_FORM } from "../cache/inode/direct-form.ts";
import type { InodeForm } from "../cache/inode/inode-form.ts";
import { MappedForm } from "../cache/inode/mapped-form.ts";
import { rootNode } from "../fuse/file-system.ts";
import { serveKernel } from "../fuse/kernel/kernel-driver.ts";
import { OPCODE } from "../fuse/kernel/protocol.ts";
import { useFiles } from "./file-script.ts";
import { unlink } from "./kernel-requests.ts";
import { openScratchCache } from "./scratch-cache.ts";
import { type Script, ScriptedKernel } from "./scripted-kernel.ts";
import { WarmUp } from "./warm-up.ts";

/** Of so many turns, which each begin with a look whether somebody asks, all of it takes twice as many. */
const HALF = 750;

function cacheDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "izo-warm-up-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function fail(error: unknown): never {
  return expect.unreachable(String(error));
}

function warmUp(cacheDir: string, isBusy: () => boolean): WarmUp {
  return new WarmUp({ cacheDir, form: DIRECT_FORM, isBusy, onError: fail });
}

/** Has a script answered by the driver and a scratch cache; how often each was asked. */
async function answer(
  script: Script,
  formOf: (cacheDir: string) => InodeForm = () => DIRECT_FORM,
): Promise<Readonly<Record<string, number>>> {
  const cacheDir = cacheDirectory();
  await using cache = await openScratchCache(join(cacheDir, "scratch"), formOf(cacheDir), fail);
  const kernel = new ScriptedKernel(script, 2);
  const errors: unknown[] = [];
  const serving = serveKernel(cache.fileSystem, cacheDir, kernel, {
    onSent: () => cache.showRecorded(),
    onError: (error) => void errors.push(error),
    quickWake: "off",
  });
  while (!kernel.isDone) kernel.turn(100);
  await using mount = await serving;
  if (errors.length > 0) throw errors[0];
  return mount.requests;
}

function* removeNothing(): Script {
  yield* useFiles(0);
  yield unlink(rootNode, "missing");
}

test("useFiles has every request of programs that unpack, save, build and clean up answered", async () => {
  expect(await answer(useFiles(200))).toEqual({
    INIT: 1,
    MKDIR: 2,
    GETATTR: 600,
    LOOKUP: 300,
    CREATE: 250,
    GETXATTR: 250,
    OPEN: 100,
    RELEASE: 350,
    SETATTR: 100,
    RENAME2: 50,
    UNLINK: 50,
    FORGET: 50,
    OPENDIR: 4,
    READDIRPLUS: 10,
    READDIR: 4,
    RELEASEDIR: 4,
  });
});

test("useFiles is answered on a cache of a mount without root, too", async () => {
  const owner = { uid: 1000, gid: 1000 };
  const mapped = (cacheDir: string): InodeForm => new MappedForm(cacheDir, owner);
  await expect(answer(useFiles(100), mapped)).resolves.toMatchObject({ CREATE: 125 });
});

test("ScriptedKernel ends with an answer that a working mount does not give", async () => {
  await expect(answer(removeNothing())).rejects.toThrow(
    `Cannot warm up: request ${OPCODE.UNLINK} was answered with -2`,
  );
});

test("WarmUp begins when programs have paused and nothing else is under way, and leaves nothing behind", async () => {
  const cacheDir = cacheDirectory();
  const isBusy = vi.fn<() => boolean>(() => true);
  await using warming = warmUp(cacheDir, isBusy);
  await vi.waitFor(() => expect(isBusy.mock.calls.length).toBeGreaterThan(2));
  expect(readdirSync(cacheDir)).toEqual([]);
  isBusy.mockReturnValue(false);
  await vi.waitFor(() => expect(readdirSync(cacheDir)).toEqual(["warm-up"]), { interval: 1 });
  await warming.done;
  expect(readdirSync(cacheDir)).toEqual([]);
  expect(isBusy.mock.calls.length).toBeGreaterThan(2 * HALF);
});

test("WarmUp gives way to programs, and ends where they have warmed up what they need", async () => {
  const cacheDir = cacheDirectory();
  const isBusy = vi.fn<() => boolean>(() => false);
  await using warming = warmUp(cacheDir, isBusy);
  await vi.waitFor(() => expect(readdirSync(cacheDir)).toEqual(["warm-up"]), { interval: 1 });
  warming.noteAnswered(1000);
  await warming.done;
  expect(readdirSync(cacheDir)).toEqual([]);
  expect(isBusy.mock.calls.length).toBeLessThan(HALF);
});

test("WarmUp ends with the mount, half done", async () => {
  const cacheDir = cacheDirectory();
  const isBusy = vi.fn<() => boolean>(() => false);
  const warming = warmUp(cacheDir, isBusy);
  await vi.waitFor(() => expect(readdirSync(cacheDir)).toEqual(["warm-up"]), { interval: 1 });
  await warming[Symbol.asyncDispose]();
  expect(readdirSync(cacheDir)).toEqual([]);
  expect(isBusy.mock.calls.length).toBeLessThan(HALF);
});
