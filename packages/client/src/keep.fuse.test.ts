import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { MountControl } from "./control/mount-control.ts";
import type { KeptTally } from "./keep/content-keeper.ts";
import { LoopbackServer } from "./testing/loopback-server.ts";
import { type MountInProcess, mountInProcess } from "./testing/mount-in-process.ts";

/** Ten blocks: what the disk counts is what a file has. */
const FILE_BYTES = 40_960;

let cleanup: AsyncDisposableStack;
let base = "";
let mnt = "";
let server: LoopbackServer;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-keep-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
  mnt = join(base, "mount");
  mkdirSync(mnt);
  server = cleanup.use(await LoopbackServer.start());
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

async function mount(): Promise<MountInProcess> {
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(base, "cache") };
  return cleanup.use(await mountInProcess(places));
}

/** Makes a file in the export. */
function make(path: string): void {
  mkdirSync(join(server.dir, path, ".."), { recursive: true });
  writeFileSync(join(server.dir, path), path.padEnd(FILE_BYTES, "."));
}

const PATIENTLY = { timeout: 20_000, interval: 100 };

async function hasStatus(control: MountControl, expected: object): Promise<void> {
  await vi.waitFor(async () => expect(await control.status()).toMatchObject(expected), PATIENTLY);
}

function tally(files: number, missingFiles: number): KeptTally {
  return {
    files,
    bytes: files * FILE_BYTES,
    missingFiles,
    missingBytes: missingFiles * FILE_BYTES,
  };
}

async function reads(path: string): Promise<void> {
  expect((await readFile(join(mnt, path), "utf8")).trimEnd()).toMatch(/^\S+\.+$/);
}

test("what is pinned or hoarded comes by itself, also what comes later, and can be read offline", async () => {
  for (const path of ["docs/a", "docs/b", "src/c", "src/d.pdf"]) make(path);
  const first = await mount();
  const { control } = first;
  await vi.waitFor(() => expect(readdirSync(join(mnt, "src"))).toHaveLength(2), PATIENTLY);
  await control.pin(["/docs"]);
  await control.changeSettings({ hoard: [{ pattern: "*.pdf", priority: 5 }] });
  await hasStatus(control, { kept: { pinned: tally(2, 0), hoarded: tally(1, 0) } });

  // What comes into the pinned directory is kept, wherever that is moved.
  renameSync(join(mnt, "docs"), join(mnt, "papers"));
  await control.flush(AbortSignal.timeout(20_000));
  make("papers/later");
  renameSync(join(server.dir, "src/c"), join(server.dir, "papers/c"));
  await hasStatus(control, { kept: { pinned: tally(4, 0), hoarded: tally(1, 0) } });
  expect(await control.pins()).toEqual([{ path: "/papers", pinnedPath: "/docs" }]);

  await first.stop("SIGTERM");
  await server.kill();
  const again = await mount();
  await hasStatus(again.control, { state: "offline", kept: { pinned: tally(4, 0) } });
  for (const path of ["papers/a", "papers/b", "papers/c", "papers/later", "src/d.pdf"])
    await reads(path);
});

test("[C4] a quota lets go what was used longest ago, and never what is pinned or waits to be sent", async () => {
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) make(`docs/${name}`);
  const { control } = await mount();
  await vi.waitFor(() => expect(readdirSync(join(mnt, "docs"))).toHaveLength(5), PATIENTLY);
  await control.pin(["/docs/a"]);
  for (const name of names) await reads(`docs/${name}`);
  await hasStatus(control, { cachedBytes: 5 * FILE_BYTES, kept: { pinned: tally(1, 0) } });

  await control.changeSettings({ cacheQuotaBytes: 4 * FILE_BYTES });
  await hasStatus(control, { cachedBytes: 3 * FILE_BYTES });
  await control.changeSettings({ isForcedOffline: true });
  for (const name of ["a", "d", "e"]) await reads(`docs/${name}`);
  for (const name of ["b", "c"])
    await expect(readFile(join(mnt, "docs", name))).rejects.toMatchObject({ code: "EHOSTUNREACH" });

  // Made offline, it stays beyond the quota until the server has it.
  for (const name of ["x", "y"]) writeFileSync(join(mnt, name), name.repeat(FILE_BYTES));
  expect(await control.status()).toMatchObject({ cachedBytes: 5 * FILE_BYTES });
  await control.changeSettings({ isForcedOffline: false });
  await control.flush(AbortSignal.timeout(20_000));
  await hasStatus(control, { cachedBytes: 3 * FILE_BYTES, kept: { pinned: tally(1, 0) } });
  expect(await readFile(join(mnt, "x"), "utf8")).toBe("x".repeat(FILE_BYTES));
});

test("what is pinned and has no room is shown as missing, and comes when there is room", async () => {
  for (const name of ["a", "b", "c"]) make(`docs/${name}`);
  const { control } = await mount();
  await vi.waitFor(() => expect(readdirSync(join(mnt, "docs"))).toHaveLength(3), PATIENTLY);
  await control.changeSettings({ cacheQuotaBytes: 2.5 * FILE_BYTES });
  await control.pin(["/docs"]);
  await hasStatus(control, { kept: { pinned: { files: 3 } } });
  const { cachedBytes } = await control.status();
  expect(cachedBytes).toBeLessThan(3 * FILE_BYTES);
  await control.changeSettings({ cacheQuotaBytes: null });
  await hasStatus(control, { kept: { pinned: tally(3, 0) } });
  await control.unpin(["/docs"]);
  expect(await control.status()).toMatchObject({ kept: null });
});
