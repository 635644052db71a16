import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { MountControl } from "./control/mount-control.ts";
import { LoopbackServer } from "./testing/loopback-server.ts";
import { type MountInProcess, mountInProcess } from "./testing/mount-in-process.ts";

let cleanup: AsyncDisposableStack;
let base = "";
let mnt = "";
let server: LoopbackServer;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-offline-"));
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

const soon = (): AbortSignal => AbortSignal.timeout(15_000);

/** Waits until the mount shows these names, and no others. */
async function showsNames(names: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(readdirSync(mnt).toSorted()).toEqual(names), {
    timeout: 15_000,
    interval: 100,
  });
}

async function hasStatus(
  control: MountControl,
  expected: Partial<Awaited<ReturnType<MountControl["status"]>>>,
): Promise<void> {
  await vi.waitFor(async () => expect(await control.status()).toMatchObject(expected), {
    timeout: 15_000,
    interval: 100,
  });
}

test("[C8] a mount that is kept offline asks nobody, also after a remount, until it is let go", async () => {
  const first = await mount();
  for (const name of ["absent", "opened"]) writeFileSync(join(server.dir, name), name);
  await showsNames(["absent", "opened"]);
  expect(await readFile(join(mnt, "opened"), "utf8")).toBe("opened");

  await first.control.changeSettings({ isForcedOffline: true });
  expect(await first.control.status()).toMatchObject({ state: "offline", isForcedOffline: true });
  await expect(readFile(join(mnt, "absent"))).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  writeFileSync(join(mnt, "new"), "made offline");
  await expect(first.control.flush(soon())).rejects.toMatchObject({ code: "forced-offline" });
  await first.stop("SIGTERM");

  const { control } = await mount();
  expect(await control.status()).toMatchObject({ state: "offline", isForcedOffline: true });
  expect(await readFile(join(mnt, "opened"), "utf8")).toBe("opened");
  await expect(readFile(join(mnt, "absent"))).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  expect(readdirSync(server.dir)).not.toContain("new");

  await control.changeSettings({ isForcedOffline: false });
  await control.flush(soon());
  expect(readFileSync(join(server.dir, "new"), "utf8")).toBe("made offline");
  expect(await readFile(join(mnt, "absent"), "utf8")).toBe("absent");
});

test("[C8] programs that wait for the server hold up no other program, and get the content when it is back", async () => {
  const { control } = await mount();
  const names = Array.from({ length: 40 }, (_, index) => `file-${index + 10}`);
  for (const name of names) writeFileSync(join(server.dir, name), name);
  await showsNames(names);
  await control.changeSettings({ offlinePolicy: "wait" });
  await server.kill();
  await vi.waitFor(async () => expect((await control.status()).lastError).not.toBeNull());

  // Reads wait on threads of libuv, four of which would be all that this process has.
  const { readers, ended } = startReaders(names);
  await hasStatus(control, { waitingPrograms: 32 });
  writeFileSync(join(mnt, "written-meanwhile"), "w");
  expect(readdirSync(mnt)).toContain("written-meanwhile");
  // Those beyond the bound were told; the others wait for as long as it takes.
  const told = (): string[] => ended.filter((text) => text.includes("No route"));
  await vi.waitFor(() => expect(told()).toHaveLength(8), { timeout: 15_000, interval: 100 });
  await server.start();
  await control.changeSettings({ isForcedOffline: false });
  await Promise.all(readers);
  expect(ended.filter((text) => text.startsWith("file-"))).toHaveLength(32);
  expect((await control.status()).waitingPrograms).toBe(0);
});

test("[C8] a change of the policy ends the waiting", async () => {
  const { control } = await mount();
  writeFileSync(join(server.dir, "absent"), "absent");
  await showsNames(["absent"]);
  await control.changeSettings({ offlinePolicy: "wait", isForcedOffline: true });
  const reading = readFile(join(mnt, "absent")).catch((error: unknown) => error);
  await hasStatus(control, { waitingPrograms: 1 });
  await control.changeSettings({ offlinePolicy: "fail" });
  expect(await reading).toMatchObject({ code: "EHOSTUNREACH" });
});

/** Reads each file in a process of its own; `ended` gets what each of them printed. */
function startReaders(names: readonly string[]): { readers: Promise<void>[]; ended: string[] } {
  const ended: string[] = [];
  const readers = names.map(async (name) => {
    const child = spawn("cat", [join(mnt, name)], { stdio: ["ignore", "pipe", "pipe"] });
    const [output, errors] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
    ended.push(output || errors);
  });
  return { readers, ended };
}
