/** What programs that watch a mount are told by the kernel of what others have changed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  type FSWatcher,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { LoopbackServer } from "./testing/loopback-server.ts";
import { mountInProcess, type MountInProcess } from "./testing/mount-in-process.ts";

let cleanup: AsyncDisposableStack;
let base = "";
let mnt = "";
let server: LoopbackServer;
let mounted: MountInProcess;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-watchers-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
  mnt = join(base, "mount");
  mkdirSync(mnt);
  server = cleanup.use(await LoopbackServer.start());
  mkdirSync(there("d/sub"), { recursive: true });
  writeFileSync(there("d/old"), "one");
  writeFileSync(there("d/gone"), "");
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(base, "cache") };
  mounted = cleanup.use(await mountInProcess(places));
  await eventually(() => readdirSync(here("d/sub")));
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

const here = (path: string): string => join(mnt, path);
const there = (path: string): string => join(server.dir, path);

const eventually = (work: () => unknown): Promise<unknown> =>
  vi.waitFor(work, { timeout: 15_000, interval: 20 });

/** What inotify(7) says about a path, as `rename a` of what comes and goes and `change a` of all else. */
function eventsOf(path: string): string[] {
  const events: string[] = [];
  const watcher: FSWatcher = watch(path);
  watcher.on("change", (event, name) => void events.push(`${event} ${String(name)}`));
  cleanup.defer(() => watcher.close());
  return events;
}

test("[C7] programs that watch a directory are told of what others do there", async () => {
  const events = eventsOf(here("d"));
  const ofSub = eventsOf(here("d/sub"));
  const steps: readonly (readonly [() => void, RegExp])[] = [
    [() => writeFileSync(there("d/new"), "x"), /^rename new(,change new)*$/],
    [() => mkdirSync(there("d/made")), /^rename made$/],
    [() => symlinkSync("old", there("d/link")), /^rename link$/],
    [() => appendFileSync(there("d/old"), "two"), /^change old(,change old)*$/],
    [() => chmodSync(there("d/gone"), 0o600), /^change gone$/],
    [() => unlinkSync(there("d/gone")), /^rename gone$/],
    [() => renameSync(there("d/sub"), there("d/sub2")), /^rename sub,rename sub2$/],
    [() => renameSync(there("d/sub2"), there("sub2")), /^rename sub2$/],
    [() => renameSync(there("sub2"), there("d/sub")), /^rename sub$/],
    [() => rmdirSync(there("d/sub")), /^rename sub$/],
    [
      () => renameSync(there("d/new"), there("d/moved")),
      /^rename new,rename moved(,change moved)*$/,
    ],
  ];
  for (const [step, expected] of steps) {
    events.length = 0;
    step();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await eventually(() => expect(events.join(",")).toMatch(expected));
  }
  // Watched itself, it has gone along with its moves until it was gone.
  expect(ofSub.filter((event) => event === "rename sub").length).toBeGreaterThanOrEqual(4);
  const names = readdirSync(there("d"));
  expect(readdirSync(here("d"))).toEqual(names);
  for (const name of names) {
    const [seen, done] = [statSync(here(`d/${name}`)), statSync(there(`d/${name}`))];
    expect([name, seen.mode, seen.size, seen.mtimeMs]).toEqual([
      name,
      done.mode,
      done.size,
      done.mtimeMs,
    ]);
  }
  expect(readdirSync(mnt)).toEqual(["d"]);
  // Nothing of it was done by this mount.
  expect(await mounted.control.status()).toMatchObject({ pending: 0, lastError: null });
});

test("[C7] programs that watch a file are told when another content takes its place", async () => {
  expect(readFileSync(here("d/old"), "utf8")).toBe("one");
  const events = eventsOf(here("d/old"));
  writeFileSync(there("d/other"), "two");
  renameSync(there("d/other"), there("d/old"));
  // As of a file that is saved by a rename: attributes (a name less), and that it is gone.
  await eventually(() => expect(events).toContain("rename old"));
  expect(readFileSync(here("d/old"), "utf8")).toBe("two");
});

test("[C7] who works in a directory that others move has a path there", async () => {
  const program = spawn("sleep", ["60"], { cwd: here("d/sub") });
  cleanup.defer(() => void program.kill());
  await once(program, "spawn");
  for (const [from, to] of [
    ["d/sub", "d/sub2"],
    ["d/sub2", "sub"],
    ["sub", "d/sub"],
  ] as const) {
    renameSync(there(from), there(to));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await eventually(() => expect(readlinkSync(`/proc/${program.pid}/cwd`)).toBe(here(to)));
  }
});

test("[C7] what a program does itself it is told once, by the kernel alone", async () => {
  const events = eventsOf(here("d"));
  writeFileSync(here("d/own"), "x");
  renameSync(here("d/own"), here("d/own2"));
  chmodSync(here("d/own2"), 0o600);
  unlinkSync(here("d/gone"));
  await mounted.control.flush(AbortSignal.timeout(10_000));
  const own = [...events];
  expect(own.at(-1)).toBe("rename gone");
  // All that is the server's to tell of these comes before this.
  writeFileSync(there("d/marker"), "");
  await eventually(() => expect(events).toContain("rename marker"));
  expect(events.filter((event) => !event.endsWith(" marker"))).toEqual(own);
});
