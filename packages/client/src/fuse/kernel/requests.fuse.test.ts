/**
 * How often the kernel asks, operation by operation: each request is a wake-up of this process, and costs
 * more than all else that the operation does. An optimization that gets lost is seen here and nowhere else.
 */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { LoopbackServer } from "../../testing/loopback-server.ts";
import { type MountInProcess, mountInProcess } from "../../testing/mount-in-process.ts";
import type { WakeUpFacts } from "../driver-facts.ts";

type Counts = Readonly<Record<string, number>>;

const page = Buffer.alloc(4096, "x");

const cleanup = new AsyncDisposableStack();
let mounted: MountInProcess;
let mnt = "";

beforeAll(async () => {
  const base = mkdtempSync(join(tmpdir(), "izo-requests-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
  mnt = join(base, "mount");
  mkdirSync(mnt);
  const server = cleanup.use(await LoopbackServer.start());
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(base, "cache") };
  mounted = cleanup.use(await mountInProcess(places));
  // So that it stays as it is while it is counted: what others log is told to the kernel, and asked for again.
  await mounted.control.changeSettings({ isForcedOffline: true });
  mkdirSync(join(mnt, "d"));
  for (let index = 0; index < 100; index += 1) writeFileSync(join(mnt, "d", `name-${index}`), page);
});

afterAll(async () => {
  await cleanup.disposeAsync();
});

async function requests(): Promise<Counts> {
  return (await mounted.control.status()).driver.requests ?? {};
}

/** FORGET comes when the kernel has time, and says nothing of an operation. */
function difference(before: Counts, after: Counts): Counts {
  const entries = Object.entries(after).map(
    ([name, count]) => [name, count - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(entries.filter(([name, count]) => count > 0 && !/FORGET/.test(name)));
}

function write(path: string, flags: string): void {
  const fd = openSync(path, flags);
  writeSync(fd, page);
  closeSync(fd);
}

function read(path: string): void {
  const fd = openSync(path, "r");
  readSync(fd, page);
  closeSync(fd);
}

const at = (name: string): string => join(mnt, "d", name);
let open = -1;

/** In this order: each finds what the ones before have left. */
const STEPS: readonly { does: string; before?: () => void; work: () => void; asks: Counts }[] = [
  {
    does: "stat again",
    before: () => void statSync(at("name-1")),
    work: () => void statSync(at("name-1")),
    asks: {},
  },
  {
    does: "open, read and close",
    work: () => read(at("name-1")),
    asks: { OPEN: 1, RELEASE: 1 },
  },
  {
    does: "read and write of an open file",
    before: () => {
      open = openSync(at("name-2"), "r+");
      writeSync(open, page, 0, 1, 0);
    },
    work: () => {
      for (let index = 0; index < 10; index += 1)
        writeSync(open, page, 0, page.length, index * 4096);
      for (let index = 0; index < 10; index += 1)
        readSync(open, page, 0, page.length, index * 4096);
    },
    asks: {},
  },
  {
    does: "close after a write",
    work: () => {
      closeSync(open);
      open = -1;
    },
    asks: { RELEASE: 1 },
  },
  {
    does: "stat after the own write",
    work: () => void statSync(at("name-2")),
    asks: { GETATTR: 1 },
  },
  {
    does: "list again",
    before: () => void [readdirSync(join(mnt, "d")), readdirSync(join(mnt, "d"))],
    work: () => void readdirSync(join(mnt, "d")),
    asks: { OPENDIR: 1, RELEASEDIR: 1 },
  },
  {
    does: "create, write and close",
    work: () => write(at("new"), "wx"),
    // GETXATTR is for rights that a write takes away: the kernel asks before the first one to each file.
    asks: { LOOKUP: 1, CREATE: 1, GETXATTR: 1, RELEASE: 1 },
  },
  {
    does: "a name that is not there, again",
    before: () => void statSync(at("absent"), { throwIfNoEntry: false }),
    work: () => void statSync(at("absent"), { throwIfNoEntry: false }),
    asks: {},
  },
  {
    does: "rename",
    before: () => void statSync(at("new")),
    work: () => renameSync(at("new"), at("renamed")),
    asks: { LOOKUP: 1, RENAME: 1 },
  },
  {
    does: "unlink",
    before: () => void statSync(at("renamed")),
    work: () => unlinkSync(at("renamed")),
    asks: { UNLINK: 1 },
  },
  {
    does: "the next unlink: the directory has other times now",
    work: () => unlinkSync(at("name-3")),
    asks: { GETATTR: 1, UNLINK: 1 },
  },
];

test.each(STEPS)("$does: the kernel asks $asks", async ({ before, work, asks }) => {
  before?.();
  // What is closed is told of after close(2) has returned.
  await vi.waitFor(async () => {
    const { OPEN = 0, OPENDIR = 0, CREATE = 0, RELEASE = 0, RELEASEDIR = 0 } = await requests();
    expect(OPEN + OPENDIR + CREATE - RELEASE - RELEASEDIR).toBe(open >= 0 ? 1 : 0);
  });
  const counted = await requests();
  work();
  await vi.waitFor(async () => expect(difference(counted, await requests())).toEqual(asks));
});

async function wakeUps(): Promise<WakeUpFacts> {
  return (await mounted.control.status()).driver.wakeUps!;
}

test("cores are to be woken quickly while programs ask often, and no longer", async ({ skip }) => {
  const { obstacle, times } = await wakeUps();
  if (obstacle !== null) skip(`not on this machine: ${obstacle}`);
  await vi.waitFor(async () => {
    for (let index = 10; index < 100; index += 1) read(at(`name-${index}`));
    expect((await wakeUps()).times).toBeGreaterThan(times);
  }, 10_000);
  await vi.waitFor(async () => expect((await wakeUps()).isHeld).toBe(false));
});
