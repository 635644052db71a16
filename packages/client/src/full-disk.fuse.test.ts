import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { fallocate } from "@izo/sys";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { LoopbackServer } from "./testing/loopback-server.ts";
import { mountInProcess } from "./testing/mount-in-process.ts";
import { oid, remoteOperations, TestCache } from "./testing/test-cache.ts";

const MIB = 1024 * 1024;

/** So small that space is short on it from the start: no write goes past the mount's process. */
const SMALL_DISK_BYTES = 24 * MIB;

/** With room for passthrough, until it is taken. */
const LARGE_DISK_BYTES = 400 * MIB;

let cleanup: AsyncDisposableStack;
let base = "";
let disk = "";
let mnt = "";

beforeEach(() => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-full-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
  disk = join(base, "disk");
  mnt = join(base, "mount");
  for (const path of [disk, mnt]) mkdirSync(path);
});

function makeDisk(bytes: number): void {
  const image = join(base, "image");
  writeFileSync(image, "");
  truncateSync(image, bytes);
  execFileSync("mkfs.ext4", ["-q", "-m", "0", image]);
  execFileSync("mount", ["-o", "loop", image, disk]);
  cleanup.defer(() => void execFileSync("umount", ["--lazy", disk]));
}

afterEach(async () => {
  await cleanup.disposeAsync();
});

/** Takes all space that is left. */
function fill(): void {
  const path = join(disk, "ballast");
  for (const size of [1024 * 1024, 4096]) {
    for (let isFull = false; !isFull;) {
      try {
        writeFileSync(path, Buffer.alloc(size, 1), { flag: "a" });
      } catch {
        isFull = true;
      }
    }
  }
  // The file system keeps a few blocks for its own trees.
  expect(statfsSync(disk).bavail).toBeLessThan(16);
}

function makeRoom(): void {
  unlinkSync(join(disk, "ballast"));
}

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

test("a cache on a full disk answers ENOSPC, loses nothing, and goes on when there is room", async () => {
  makeDisk(SMALL_DISK_BYTES);
  const server = cleanup.use(await LoopbackServer.start());
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(disk, "cache") };
  const { control } = cleanup.use(await mountInProcess(places));
  writeFileSync(join(mnt, "before"), "before");
  await control.flush(soon());

  fill();
  const made: string[] = [];
  // The blocks that log and directory have already take some records more; then there is no room.
  const tryAll = (): void => {
    for (let index = 0; index < 400; index += 1) {
      mkdirSync(join(mnt, `d${index}`));
      made.push(`d${index}`);
    }
  };
  expect(tryAll).toThrow("ENOSPC");
  expect(() => writeFileSync(join(mnt, "large"), Buffer.alloc(1024 * 1024))).toThrow("ENOSPC");
  expect(await readFile(join(mnt, "before"), "utf8")).toBe("before");
  const shown = readdirSync(mnt).filter((name) => name !== "large");
  expect(shown.toSorted()).toEqual(["before", ...made].toSorted());

  writeFileSync(join(server.dir, "from-server"), "s");
  // More than the blocks take that the index has already: one row alone finds room now and then.
  mkdirSync(join(server.dir, "many"));
  for (let index = 0; index < 500; index += 1)
    writeFileSync(join(server.dir, "many", `${index}-${"n".repeat(200)}`), "m");
  await vi.waitFor(
    async () => {
      const { state, lastError } = await control.status();
      expect(lastError?.code).toMatch(/^(ENOSPC|SQLITE_FULL|kml-append-failed)$/);
      expect(["polling", "pushing"]).toContain(state);
    },
    { timeout: 10_000, interval: 100 },
  );

  makeRoom();
  writeFileSync(join(mnt, "after"), "after");
  await control.flush(soon());
  await vi.waitFor(() => expect(readdirSync(mnt)).toContain("from-server"), {
    timeout: 20_000,
    interval: 200,
  });
  await vi.waitFor(async () => expect((await control.status()).lastError).toBeNull(), {
    timeout: 20_000,
    interval: 200,
  });
  expect(await readFile(join(mnt, "from-server"), "utf8")).toBe("s");
  expect(readFileSync(join(server.dir, "after"), "utf8")).toBe("after");
  const exported = readdirSync(server.dir).filter((name) => name !== ".intermezzo");
  expect(exported.toSorted()).toEqual(readdirSync(mnt).toSorted());
});

/** Who reads a large file gets its bytes before the whole of it is checked and in its place. */
async function untilCached(name: string): Promise<void> {
  const cached = join(disk, "cache/tree", name);
  await vi.waitFor(() => expect(statSync(cached).blocks).toBeGreaterThan(0), { timeout: 20_000 });
}

test("[C4] what can come back leaves a full disk for what a program writes or opens", async () => {
  makeDisk(SMALL_DISK_BYTES);
  const server = cleanup.use(await LoopbackServer.start());
  const old = Buffer.alloc(8 * 1024 * 1024, "old");
  writeFileSync(join(server.dir, "old"), old);
  writeFileSync(join(server.dir, "other"), Buffer.alloc(1024 * 1024, "other"));
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(disk, "cache") };
  const { control } = cleanup.use(await mountInProcess(places));
  await vi.waitFor(() => expect(readdirSync(mnt)).toHaveLength(2), { timeout: 20_000 });
  expect((await readFile(join(mnt, "old"))).equals(old)).toBe(true);
  await untilCached("old");

  const written = Buffer.alloc(2 * 1024 * 1024, "new");
  {
    await using file = await open(join(mnt, "new"), "w");
    fill();
    await file.writeFile(written);
  }
  await control.flush(soon());
  expect(readFileSync(join(server.dir, "new")).equals(written)).toBe(true);

  fill();
  expect((await readFile(join(mnt, "other"))).length).toBe(1024 * 1024);
});

test("[C4] content leaves for a writer whom the kernel serves past the mount's process", async () => {
  makeDisk(LARGE_DISK_BYTES);
  const server = cleanup.use(await LoopbackServer.start());
  writeFileSync(join(server.dir, "old"), Buffer.alloc(8 * MIB, "old"));
  const cacheDir = join(disk, "cache");
  const places = { url: server.url, mountPoint: mnt, cacheDir };
  const { control } = cleanup.use(await mountInProcess(places));
  await vi.waitFor(() => expect(readdirSync(mnt)).toEqual(["old"]), { timeout: 20_000 });
  expect((await readFile(join(mnt, "old"))).length).toBe(8 * MIB);
  await untilCached("old");
  const { driver } = await control.status();
  expect(driver).toMatchObject({ name: "kernel", hasPassthrough: true });

  const written = Buffer.alloc(4 * MIB, "new");
  {
    await using file = await open(join(mnt, "new"), "w");
    const { bavail, bsize } = statfsSync(disk);
    await using ballast = await open(join(disk, "ballast"), "w");
    fallocate(ballast.fd, 0, 0, bavail * bsize - MIB);
    const cached = join(cacheDir, "tree", "old");
    await vi.waitFor(() => expect(statSync(cached).blocks).toBe(0), { timeout: 20_000 });
    await file.writeFile(written);
  }
  const { requests } = (await control.status()).driver;
  expect(requests).not.toHaveProperty("WRITE");
  await control.flush(soon());
  expect(readFileSync(join(server.dir, "new")).equals(written)).toBe(true);
});

test("files can be removed on a full disk, and what they held is room again", async () => {
  makeDisk(SMALL_DISK_BYTES);
  const server = cleanup.use(await LoopbackServer.start());
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(disk, "cache") };
  const { control } = cleanup.use(await mountInProcess(places));
  const names = Array.from({ length: 40 }, (_, index) => `file-${index}`);
  for (const name of names) writeFileSync(join(mnt, name), Buffer.alloc(16 * 1024, 1));
  // A removal of nearly everything would wait for a confirmation.
  for (let kept = 0; kept < 20; kept += 1) writeFileSync(join(mnt, `kept-${kept}`), "kept");
  await control.flush(soon());

  fill();
  // It takes space nowhere but in the log.
  const fillLog = (): void => {
    for (let mode = 0; mode < 20_000; mode += 1) chmodSync(join(mnt, "file-0"), 0o600 + (mode % 8));
  };
  expect(fillLog).toThrow("ENOSPC");
  for (const name of names) unlinkSync(join(mnt, name));
  writeFileSync(join(mnt, "after"), Buffer.alloc(64 * 1024, 2));
  await control.flush(soon());
  expect(readFileSync(join(server.dir, "after"))).toEqual(Buffer.alloc(64 * 1024, 2));
  expect(readdirSync(server.dir).filter((name) => name.startsWith("file-"))).toEqual([]);
});

test("[D9] a content that the log has no room for when it is closed waits, is named, and comes when there is room", async () => {
  makeDisk(SMALL_DISK_BYTES);
  const server = cleanup.use(await LoopbackServer.start());
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(disk, "cache") };
  const { control } = cleanup.use(await mountInProcess(places));
  writeFileSync(join(mnt, "other"), "other");
  await control.flush(soon());
  {
    await using file = await open(join(mnt, "new"), "w");
    await file.writeFile("written in time");
    fill();
    const fillLog = (): void => {
      for (let mode = 0; mode < 20_000; mode += 1)
        chmodSync(join(mnt, "other"), 0o600 + (mode % 8));
    };
    expect(fillLog).toThrow("ENOSPC");
  }
  await expect(control.flush(soon())).rejects.toThrow(/Cannot append record/);
  expect((await control.status()).lastError).toMatchObject({ code: "ENOSPC" });
  expect(await readFile(join(mnt, "new"), "utf8")).toBe("written in time");

  makeRoom();
  await control.flush(soon());
  expect(readFileSync(join(server.dir, "new"), "utf8")).toBe("written in time");
  await vi.waitFor(async () => expect((await control.status()).lastError).toBeNull());
});

test("a cache on a full disk can be mounted, read and thinned out", async () => {
  makeDisk(SMALL_DISK_BYTES);
  const server = cleanup.use(await LoopbackServer.start());
  const places = { url: server.url, mountPoint: mnt, cacheDir: join(disk, "cache") };
  const first = cleanup.use(await mountInProcess(places));
  const names = Array.from({ length: 20 }, (_, index) => `file-${index}`);
  // A removal of nearly everything would wait for a confirmation.
  const kept = Array.from({ length: 10 }, (_, index) => `kept-${index}`);
  for (const name of [...names, ...kept]) writeFileSync(join(mnt, name), name.repeat(2_000));
  await first.control.flush(soon());
  await first.stop("SIGTERM");
  fill();

  const { control } = cleanup.use(await mountInProcess(places));
  expect(readdirSync(mnt).toSorted()).toEqual([...names, ...kept].toSorted());
  expect(await readFile(join(mnt, "file-7"), "utf8")).toBe("file-7".repeat(2_000));
  for (const name of names) unlinkSync(join(mnt, name));
  await control.flush(soon());
  const left = readdirSync(server.dir).filter((name) => name !== ".intermezzo");
  expect(left.toSorted()).toEqual(kept.toSorted());
});

test("[C4] a small content for which there is no room leaves its placeholder as it was, and comes later", async () => {
  makeDisk(SMALL_DISK_BYTES);
  vi.stubEnv("TMPDIR", disk);
  await using cache = await TestCache.open({ isReplica: true });
  vi.unstubAllEnvs();
  const bytes = Buffer.alloc(65_536, "small ");
  const sha256 = cache.store(bytes);
  const { create, content } = remoteOperations;
  cache.remote(create(oid("a"), "a"), content(oid("a"), sha256, bytes.length));
  const before = cache.fs.getattr(cache.node("/a"));

  fill();
  const contents = [{ oid: oid("a"), sha256, bytes }];
  await expect(cache.local.content.putContents(contents)).rejects.toThrow("ENOSPC");
  expect(cache.fs.getattr(cache.node("/a"))).toEqual(before);
  expect(cache.local.content.hasContent(oid("a"), sha256)).toBe(false);

  makeRoom();
  await cache.local.content.putContents(contents);
  expect(await cache.read("/a")).toBe(bytes.toString());
});
