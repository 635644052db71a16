/** Files that are read while they are fetched. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { GatedProxy } from "./testing/gated-proxy.ts";
import { LoopbackServer } from "./testing/loopback-server.ts";
import { mountInProcess, type MountInProcess } from "./testing/mount-in-process.ts";

const run = promisify(execFile);
const MIB = 1024 * 1024;
const SIZE_BYTES = 12 * MIB;
const content = randomBytes(SIZE_BYTES);
const FILE = "large";

let cleanup: AsyncDisposableStack;
let base = "";
let mnt = "";
let server: LoopbackServer;
let proxy: GatedProxy;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-arriving-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
  mnt = join(base, "mount");
  mkdirSync(mnt);
  server = cleanup.use(await LoopbackServer.start());
  writeFileSync(join(server.dir, FILE), content);
  proxy = cleanup.use(await GatedProxy.open(() => server.port));
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

/** A mount that shows the file. */
async function mount(): Promise<MountInProcess> {
  const places = { url: proxy.url, mountPoint: mnt, cacheDir: join(base, "cache") };
  const mounted = cleanup.use(await mountInProcess(places));
  await vi.waitFor(() => expect(existsSync(join(mnt, FILE))).toBe(true), {
    timeout: 15_000,
    interval: 100,
  });
  return mounted;
}

const eventually = (work: () => unknown): Promise<unknown> =>
  vi.waitFor(work, { timeout: 15_000, interval: 50 });

async function openFile(): Promise<FileHandle> {
  const file = await open(join(mnt, FILE));
  cleanup.defer(() => file.close());
  return file;
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

const at = (offset: number, length: number): Buffer => content.subarray(offset, offset + length);

/** How much of the file the next process would not fetch again. */
function savedBytes(): number {
  const partial = join(base, "cache/partial");
  const name = readdirSync(partial).find((each) => each.endsWith(".map"));
  const [line = ""] = readFileSync(join(partial, name ?? ""), "utf8").split("\n");
  const { spans } = JSON.parse(line) as { spans: { start: number; end: number }[] };
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Reads the whole file in a process of its own. */
const cat = (): Promise<Buffer> =>
  run("cat", [join(mnt, FILE)], { encoding: "buffer", maxBuffer: 2 * SIZE_BYTES }).then(
    ({ stdout }) => stdout,
  );

test("[C4] a large file gives its bytes as they come, anywhere, to all who read it, and is whole in the end", async () => {
  const { control } = await mount();
  const before = await stat(join(mnt, FILE));
  proxy.holdBackFrom(2 * MIB);
  const file = await openFile();
  expect(await readAt(file, 0, 100_000)).toEqual(at(0, 100_000));
  expect((await stat(join(mnt, FILE))).ctimeMs).toBe(before.ctimeMs);
  const { transfers } = await control.status();
  expect(transfers).toMatchObject([{ direction: "in", totalBytes: SIZE_BYTES }]);

  // One who comes later joins, and reads at the end while the middle is held back.
  const second = await openFile();
  const end = readAt(second, SIZE_BYTES - 1000, 4000);
  await eventually(() => expect(proxy.requests.length).toBe(2));
  expect(proxy.requests[1]).toMatchObject({ start: SIZE_BYTES - 1000, sentBytes: 0 });
  // Mapped: git reads a file of this size so.
  const mapped = run("git", ["hash-object", "--no-filters", join(mnt, FILE)]);
  const whole = cat();
  proxy.letGo();
  expect(await end).toEqual(at(SIZE_BYTES - 1000, 1000));
  expect((await whole).equals(content)).toBe(true);
  const sha1 = createHash("sha1").update(`blob ${SIZE_BYTES}\0`).update(content).digest("hex");
  expect((await mapped).stdout.trim()).toBe(sha1);

  await eventually(async () => expect((await control.status()).transfers).toEqual([]));
  expect(await readAt(file, 5 * MIB, 1000)).toEqual(at(5 * MIB, 1000));
  const asked = proxy.requests.length;
  expect((await readFile(join(mnt, FILE))).equals(content)).toBe(true);
  expect(proxy.requests.length).toBe(asked);
  // Its hash is right, and it has its place.
  await eventually(() => expect(readdirSync(join(base, "cache/partial"))).toEqual([]));
});

test("[C4] a file that came wrong is EIO for those who read it meanwhile, and right for those who open it then", async () => {
  await mount();
  proxy.wrongAt = SIZE_BYTES - 1;
  proxy.holdBackFrom(2 * MIB);
  const file = await openFile();
  expect(await readAt(file, 0, 1000)).toEqual(at(0, 1000));
  proxy.letGo();
  await eventually(() => expect(readAt(file, 0, 1000)).rejects.toMatchObject({ code: "EIO" }));
  expect((await cat()).equals(content)).toBe(true);
  await expect(readAt(file, 0, 1000)).rejects.toMatchObject({ code: "EIO" });
});

test("[C6] a fetch that was interrupted by a kill goes on where it was", async () => {
  const first = await mount();
  proxy.holdBackFrom(9 * MIB);
  const file = await open(join(mnt, FILE));
  expect(await readAt(file, 8 * MIB, 100_000)).toEqual(at(8 * MIB, 100_000));
  // A map is saved when 8 MiB are here.
  await eventually(() => expect(savedBytes()).toBeGreaterThanOrEqual(8 * MIB));
  await first.stop("SIGKILL");
  await file.close().catch(() => {});
  proxy.letGo();
  const sentBefore = proxy.sentBytes;
  await mount();
  expect((await cat()).equals(content)).toBe(true);
  expect(proxy.sentBytes - sentBefore).toBeLessThanOrEqual(4 * MIB);
});

test("[C8] a read of what has not come follows the offline policy, and goes on when the server is back", async () => {
  const { control } = await mount();
  proxy.holdBackFrom(2 * MIB);
  const file = await openFile();
  // It comes in order: what is before these bytes is here, too.
  expect(await readAt(file, MIB + 1000, 1000)).toEqual(at(MIB + 1000, 1000));
  proxy.setCut(true);
  await expect(readAt(file, 6 * MIB, 1000)).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  expect(await readAt(file, MIB, 1000)).toEqual(at(MIB, 1000));
  await control.changeSettings({ offlinePolicy: "wait" });
  const waiting = readAt(file, 6 * MIB, 1000);
  await eventually(async () =>
    expect(await control.status()).toMatchObject({ waitingPrograms: 1 }),
  );
  proxy.letGo();
  proxy.setCut(false);
  expect(await waiting).toEqual(at(6 * MIB, 1000));
});

test("[C7] whoever waits for bytes can be killed, and holds up neither changes nor the end of the mount", async () => {
  const mounted = await mount();
  proxy.holdBackFrom(2 * MIB);
  const file = await openFile();
  const reader = spawn("cat", [join(mnt, FILE)], { stdio: ["ignore", "pipe", "ignore"] });
  reader.stdout.resume();
  const mapper = spawn("git", ["hash-object", "--no-filters", join(mnt, FILE)]);
  await eventually(async () => {
    const { requests } = (await mounted.control.status()).driver;
    expect(requests?.["READ"]).toBeGreaterThan(17);
  });
  // A change of the file that is being read, and of its directory.
  writeFileSync(join(server.dir, "other"), "other");
  await run("chmod", ["600", join(server.dir, FILE)]);
  // Long before the silent server is given up, which would let all of them go.
  await vi.waitFor(
    async () => {
      expect((await stat(join(mnt, FILE))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(mnt, "other"), "utf8")).toBe("other");
    },
    { timeout: 8_000, interval: 50 },
  );
  for (const child of [reader, mapper]) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  expect(await readAt(file, MIB, 1000)).toEqual(at(MIB, 1000));
  const late = readAt(file, 8 * MIB, 1000);
  late.catch(() => {});
  await mounted.control.unmount();
  await expect(late).rejects.toBeInstanceOf(Error);
});

/** Prints what a read at 8 MiB says, while a timer sends it signals that it handles, as it does a request to stop. */
const SIGNALLED_READER = `
  use Time::HiRes "setitimer", "ITIMER_REAL";
  $SIG{ALRM} = $SIG{TERM} = sub {};
  open my $file, "<", $ARGV[0] or die $!;
  sysseek $file, 8 << 20, 0;
  setitimer(ITIMER_REAL, 0.01, 0.01);
  $| = 1;
  print "reading\\n";
  my $count = sysread $file, my $bytes, 1000;
  print defined $count ? $count : $!{EINTR} ? "EINTR" : $!;`;

test("[C7] who waits for bytes is stopped by what tells him to stop, and by no timer of his", async () => {
  const mounted = await mount();
  proxy.holdBackFrom(2 * MIB);
  const read = async (): Promise<{ child: ChildProcess; said: Promise<string> }> => {
    const before = (await mounted.control.status()).driver.requests?.["READ"] ?? 0;
    const child = spawn("perl", ["-e", SIGNALLED_READER, join(mnt, FILE)]);
    await eventually(async () => {
      const { requests } = (await mounted.control.status()).driver;
      expect(requests?.["READ"]).toBeGreaterThan(before);
    });
    return { child, said: text(child.stdout) };
  };
  const [stopped, killed, waiting] = [await read(), await read(), await read()];
  // Their timers have gone off many times.
  await delay(200);
  stopped.child.kill("SIGTERM");
  expect(await stopped.said).toBe("reading\nEINTR");
  killed.child.kill("SIGKILL");
  expect(await killed.said).toBe("reading\n");
  proxy.letGo();
  expect(await waiting.said).toBe("reading\n1000");
});

test("[C3] who reads a file while it comes keeps that content when another takes its place, here or on the server", async () => {
  const { control } = await mount();
  proxy.holdBackFrom(2 * MIB);
  const [file, second] = [await openFile(), await openFile()];
  expect(await readAt(file, 0, 1000)).toEqual(at(0, 1000));
  writeFileSync(join(server.dir, "new"), "a new content");
  await rename(join(server.dir, "new"), join(server.dir, FILE));
  await eventually(async () => expect((await stat(join(mnt, FILE))).size).toBe(13));
  expect(await readFile(join(mnt, FILE), "utf8")).toBe("a new content");
  expect((await file.stat()).size).toBe(SIZE_BYTES);
  proxy.letGo();
  expect(await readAt(file, 7 * MIB, 1000)).toEqual(at(7 * MIB, 1000));
  await unlink(join(mnt, FILE));
  expect(await readAt(second, 3 * MIB, 1000)).toEqual(at(3 * MIB, 1000));
  await control.flush(AbortSignal.timeout(15_000));
});

test("a file that is read while it comes can be overwritten, and who is not to read it so waits in open(2)", async () => {
  const { control } = await mount();
  proxy.holdBackFrom(2 * MIB);
  const file = await openFile();
  expect(await readAt(file, 0, 1000)).toEqual(at(0, 1000));
  // Without waiting for what is cut off anyway.
  await (await open(join(mnt, FILE), "w")).close();
  expect((await stat(join(mnt, FILE))).size).toBe(0);
  writeFileSync(join(mnt, FILE), "written here");
  proxy.letGo();
  expect(await readFile(join(mnt, FILE), "utf8")).toBe("written here");
  await control.flush(AbortSignal.timeout(15_000));
  expect(await readFile(join(server.dir, FILE), "utf8")).toBe("written here");

  await control.changeSettings({ streamFromBytes: null });
  writeFileSync(join(server.dir, "second"), content);
  await eventually(() => expect(existsSync(join(mnt, "second"))).toBe(true));
  proxy.holdBackFrom(2 * MIB);
  let isOpen = false;
  const opening = open(join(mnt, "second")).then((opened) => {
    isOpen = true;
    return opened;
  });
  // Beside it the first content may be asked for again, for who still has that open.
  await eventually(() =>
    expect(proxy.requests.map(({ sentBytes }) => sentBytes)).toContain(2 * MIB),
  );
  expect(isOpen).toBe(false);
  proxy.letGo();
  const opened = await opening;
  expect(await readAt(opened, 9 * MIB, 10)).toEqual(at(9 * MIB, 10));
  await opened.close();
});
