import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { LoopbackServer } from "./testing/loopback-server.ts";
import { type MountInProcess, mountInProcess } from "./testing/mount-in-process.ts";

let cleanup: AsyncDisposableStack;
let base = "";
let server: LoopbackServer;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-mount-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
  server = cleanup.use(await LoopbackServer.start());
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

const path = (name: string): string => join(base, name);

/** Mounts the server's fileset at `mount` with the cache `cache`, unless told otherwise. */
async function mount(
  places: { at?: string; isMade?: false; cache?: string; url?: string } = {},
): Promise<MountInProcess> {
  const mountPoint = path(places.at ?? "mount");
  if (places.isMade !== false) mkdirSync(mountPoint, { recursive: true });
  const url = places.url ?? server.url;
  return cleanup.use(
    await mountInProcess({ url, mountPoint, cacheDir: path(places.cache ?? "cache") }),
  );
}

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

describe("mountFileset without its server", () => {
  test("[C8] serves what is cached, fails the rest at once, and reintegrates later", async () => {
    const first = await mount();
    for (const name of ["opened", "absent"]) writeFileSync(join(server.dir, name), name);
    await vi.waitFor(
      () => expect(readdirSync(path("mount")).toSorted()).toEqual(["absent", "opened"]),
      { timeout: 10_000, interval: 100 },
    );
    expect(await readFile(path("mount/opened"), "utf8")).toBe("opened");
    await first.stop("SIGTERM");
    await server.kill();

    const { control } = await mount();
    expect((await control.status()).state).toBe("offline");
    expect(await readFile(path("mount/opened"), "utf8")).toBe("opened");
    await vi.waitFor(async () => expect((await control.status()).lastError).not.toBeNull());
    const begunMs = performance.now();
    await expect(readFile(path("mount/absent"))).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    expect(performance.now() - begunMs).toBeLessThan(150);
    writeFileSync(path("mount/opened"), "changed offline");
    writeFileSync(path("mount/new"), "made offline");
    expect((await control.status()).pending).toBeGreaterThanOrEqual(3);

    await server.start();
    await control.flush(soon());
    expect(readFileSync(join(server.dir, "opened"), "utf8")).toBe("changed offline");
    expect(readFileSync(join(server.dir, "new"), "utf8")).toBe("made offline");
    expect(await readFile(path("mount/absent"), "utf8")).toBe("absent");
    expect(await control.status()).toMatchObject({ pending: 0, lastError: null });
  });

  test("says so when the cache has no tree yet", async () => {
    await server.kill();
    await expect(mount()).rejects.toMatchObject({ code: "unreachable" });
    expect(readdirSync(path("mount"))).toEqual([]);
    await server.start();
    await mount();
    expect(readdirSync(path("mount"))).toEqual([]);
  });
});

describe("mountFileset refuses", () => {
  test("a mount point where something is mounted", async () => {
    await mount();
    await expect(mount({ cache: "other" })).rejects.toMatchObject({ code: "mount-point-in-use" });
  });

  test("a mount point that is missing, a file, or not empty, and mounts nothing", async () => {
    writeFileSync(path("file"), "");
    mkdirSync(path("full"));
    writeFileSync(path("full/x"), "");
    const missing = mount({ at: "missing", isMade: false });
    await expect(missing).rejects.toMatchObject({ code: "mount-point-missing" });
    await expect(mount({ at: "file", isMade: false })).rejects.toMatchObject({
      code: "mount-point-not-directory",
    });
    await expect(mount({ at: "full" })).rejects.toMatchObject({ code: "mount-point-not-empty" });
    expect(readdirSync(path("full"))).toEqual(["x"]);
  });

  test("a cache that another mount uses", async () => {
    await mount();
    await expect(mount({ at: "second" })).rejects.toMatchObject({ code: "cache-in-use" });
  });

  test("a cache of another fileset", async () => {
    await (await mount()).stop("SIGTERM");
    const other = cleanup.use(await LoopbackServer.start());
    await expect(mount({ url: other.url })).rejects.toMatchObject({ code: "foreign-cache" });
    expect(readdirSync(path("mount"))).toEqual([]);
  });
});
