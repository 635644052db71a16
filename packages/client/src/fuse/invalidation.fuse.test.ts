import { closeSync, mkdirSync, openSync, readSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { DRIVERS } from "./driver-name.ts";
import { type ServedMount, servePassThrough } from "./testing/served-mount.ts";

/** Replaces a file behind the mount, as replay does. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

describe.each(DRIVERS)("[C7] invalidateEntry() of the driver %s", (driver) => {
  let served: ServedMount;

  beforeAll(async () => {
    // Long timeouts: what a test sees anew, it sees because of an invalidation.
    served = await servePassThrough(driver, 3_600);
  });

  afterAll(async () => {
    await served[Symbol.asyncDispose]();
  });

  const invalidate = (...paths: string[]) => served.ask({ ask: "invalidate", paths });

  function directory(name: string) {
    mkdirSync(join(served.mountPoint, name));
    return { mounted: join(served.mountPoint, name), backing: join(served.backing, name) };
  }

  test("shows new content and size, which the kernel had cached", async () => {
    const { mounted, backing } = directory("content");
    await writeFile(join(mounted, "f"), "old");
    expect(await readFile(join(mounted, "f"), "utf8")).toBe("old");
    await stat(join(mounted, "f"));
    await replace(join(backing, "f"), "new and longer");
    expect((await stat(join(mounted, "f"))).size).toBe(3);
    await invalidate("content/f");
    expect((await stat(join(mounted, "f"))).size).toBe(14);
    expect(await readFile(join(mounted, "f"), "utf8")).toBe("new and longer");
  });

  test("shows equally long content with an equal mtime", async () => {
    const { mounted, backing } = directory("same");
    await writeFile(join(mounted, "f"), "aaaa");
    const { mtime } = await stat(join(backing, "f"));
    expect(await readFile(join(mounted, "f"), "utf8")).toBe("aaaa");
    await writeFile(join(backing, "new"), "bbbb");
    const handle = await open(join(backing, "new"));
    await handle.utimes(mtime, mtime);
    await handle.close();
    await rename(join(backing, "new"), join(backing, "f"));
    await invalidate("same/f");
    expect(await readFile(join(mounted, "f"), "utf8")).toBe("bbbb");
  });

  test("[C3] leaves an open descriptor its content while the name has the new one", async () => {
    const { mounted, backing } = directory("held");
    await writeFile(join(mounted, "f"), "old");
    const fd = openSync(join(mounted, "f"), "r");
    await replace(join(backing, "f"), "NEW");
    await invalidate("held/f");
    expect(await readFile(join(mounted, "f"), "utf8")).toBe("NEW");
    const content = Buffer.alloc(3);
    readSync(fd, content, 0, 3, 0);
    closeSync(fd);
    expect(content.toString()).toBe("old");
    expect(await readFile(join(mounted, "f"), "utf8")).toBe("NEW");
  });

  test("shows names that came, went and were moved", async () => {
    const { mounted, backing } = directory("names");
    await mkdir(join(mounted, "d"));
    await writeFile(join(mounted, "d", "f"), "1");
    await stat(join(mounted, "d", "f"));
    await rename(join(backing, "d"), join(backing, "e"));
    await writeFile(join(backing, "came"), "");
    await invalidate("names/d", "names/e", "names/came");
    expect((await readdir(mounted)).toSorted()).toEqual(["came", "e"]);
    await expect(stat(join(mounted, "d"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(await readFile(join(mounted, "e", "f"), "utf8")).toBe("1");
  });

  test("still reaches what is below a directory that was itself invalidated", async () => {
    const { mounted, backing } = directory("below");
    await mkdir(join(mounted, "d"));
    await writeFile(join(mounted, "d", "f"), "old");
    const held = openSync(join(mounted, "d"), "r");
    await stat(join(mounted, "d", "f"));
    await invalidate("below/d");
    await replace(join(backing, "d", "f"), "newer");
    await invalidate("below/d/f");
    expect((await stat(join(mounted, "d", "f"))).size).toBe(5);
    closeSync(held);
  });

  test("does not deadlock with requests in the same directory", { timeout: 40_000 }, async () => {
    const { mounted, backing } = directory("storm");
    const until = performance.now() + 5_000;
    const isOver = () => performance.now() > until;
    let rounds = 0;
    let worstMs = 0;
    const work = async (worker: number) => {
      while (!isOver()) {
        const name = join(mounted, `f${worker}`);
        const started = performance.now();
        await writeFile(name, "x");
        await rename(name, `${name}.moved`);
        await unlink(`${name}.moved`);
        worstMs = Math.max(worstMs, performance.now() - started);
        rounds += 1;
      }
    };
    const storm = async () => {
      let asked = 0;
      while (!isOver()) {
        await writeFile(join(backing, `remote${asked % 50}`), String(asked));
        const names = Array.from({ length: 50 }, (_, index) => `storm/remote${index}`);
        await invalidate(...names, "storm/f0", "storm/f1", "storm");
        asked += 1;
      }
      return asked;
    };
    const [asked] = await Promise.all([storm(), work(0), work(1), work(2)]);
    expect(asked).toBeGreaterThan(10);
    expect(rounds).toBeGreaterThan(100);
    expect(worstMs).toBeLessThan(2_000);
  });

  test("does not block the server while the kernel holds a notification up", async () => {
    const { mounted, backing } = directory("blocked");
    await writeFile(join(mounted, "f"), "x");
    await writeFile(join(backing, "slow-1000"), "late");
    const started = performance.now();
    const elapsedMs = () => performance.now() - started;
    // The open waits; the unlink of that file waits for it, with the directory locked.
    const opening = readFile(join(mounted, "slow-1000"), "utf8");
    await delay(100);
    const unlinking = unlink(join(mounted, "slow-1000"));
    await delay(100);
    const invalidatedMs = invalidate("blocked/f").then(elapsedMs);
    await writeFile(join(served.mountPoint, "elsewhere"), "served meanwhile");
    expect(elapsedMs()).toBeLessThan(700);
    await Promise.all([opening, unlinking]);
    // libfuse holds the unlink up, and so the notification: otherwise this test would show nothing. The
    // kernel itself lets an unlink go ahead of an open that waits.
    expect((await invalidatedMs) > 900).toBe(driver === "fuse-native");
  });

  test("reported no fault in all of this", async () => {
    expect((await served.ask({ ask: "count" })).errors).toEqual([]);
  });
});
