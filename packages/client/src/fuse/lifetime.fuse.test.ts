import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open, readdir, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { umount2 } from "@izo/sys";
import { describe, expect, test } from "vitest";

import { DRIVERS } from "./driver-name.ts";
import { mountDriver } from "./mount-driver.ts";
import { MountError } from "./prepare-mount-point.ts";
import { PassThrough } from "./testing/pass-through.ts";
import { type ServedMount, servePassThrough } from "./testing/served-mount.ts";

const isMounted = ({ mountPoint }: ServedMount) =>
  readFileSync("/proc/self/mounts", "utf8").includes(` ${mountPoint} fuse.izo `);

async function ended(served: ServedMount): Promise<unknown[]> {
  const { server } = served;
  return await once(server, "exit", { signal: AbortSignal.timeout(15_000) });
}

describe.each(DRIVERS)("the lifetime of a mount by the driver %s", (driver) => {
  test("SIGTERM unmounts and the process exits", async () => {
    await using served = await servePassThrough(driver);
    await writeFile(join(served.mountPoint, "f"), "kept");
    const exit = ended(served);
    served.server.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
    expect(isMounted(served)).toBe(false);
    expect(await readFile(join(served.backing, "f"), "utf8")).toBe("kept");
  });

  test("SIGTERM unmounts with files open, and gives them back to the file system", async () => {
    await using served = await servePassThrough(driver);
    const handle = await open(join(served.mountPoint, "f"), "w");
    await handle.write("written");
    const exit = ended(served);
    served.server.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
    expect(isMounted(served)).toBe(false);
    await expect(handle.stat()).rejects.toMatchObject({ code: "ENOTCONN" });
    await handle.close().catch(() => {});
    expect(await readFile(join(served.backing, "f"), "utf8")).toBe("written");
  });

  test("umount from outside ends the process", async () => {
    await using served = await servePassThrough(driver);
    await writeFile(join(served.mountPoint, "f"), "kept");
    const exit = ended(served);
    umount2(served.mountPoint);
    expect(await exit).toEqual([0, null]);
  });

  test("after kill -9 the mount point recovers at the next mount", async () => {
    await using served = await servePassThrough(driver);
    await writeFile(join(served.mountPoint, "f"), "kept");
    const exit = ended(served);
    served.server.kill("SIGKILL");
    await exit;
    await expect(stat(served.mountPoint)).rejects.toMatchObject({ code: "ENOTCONN" });
    await served.restart();
    expect(await readFile(join(served.mountPoint, "f"), "utf8")).toBe("kept");
    await unlink(join(served.mountPoint, "f"));
    expect(await readdir(served.backing)).toEqual([]);
  });

  test("refuses a mount point that is missing, a file, or not empty", async () => {
    await using served = await servePassThrough(driver);
    const mount = async (path: string) =>
      await mountDriver(new PassThrough(served.backing), path, {
        driver,
        backingDir: served.backing,
        onError: () => {},
      });
    const base = join(served.backing, "..");
    await writeFile(join(base, "file"), "");
    await expect(mount(join(base, "none"))).rejects.toMatchObject({ code: "mount-point-missing" });
    await expect(mount(join(base, "file"))).rejects.toMatchObject({
      code: "mount-point-not-directory",
    });
    await expect(mount(base)).rejects.toMatchObject({ code: "mount-point-not-empty" });
    await expect(mount(base)).rejects.toBeInstanceOf(MountError);
    await rm(join(base, "file"));
  });
});
