import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serve } from "@izo/server";
import { afterEach, beforeEach, expect, test } from "vitest";

import { checkCachePlace, checkExportPlace } from "./keep-apart.ts";
import { forgetMount, noteMount } from "./mount-registry.ts";

let base = "";
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "izo-apart-")));
  mkdirSync(join(base, "home", "sub"), { recursive: true });
});
afterEach(() => {
  forgetMount(join(base, "mnt"));
  rmSync(base, { recursive: true });
});

const MOUNT_POINT = "/mnt/project";
const HOST = { host: "127.0.0.1", port: 0 };

test("a cache is in no directory that is served, but where it is left out", async () => {
  const directory = join(base, "home");
  const cache = join(directory, ".cache/izo/nas");
  {
    await using _ = await serve({ directory, ...HOST });
    await expect(checkCachePlace(cache, MOUNT_POINT)).rejects.toThrow(
      `Cannot use the cache "${cache}": it is in "${directory}"`,
    );
    await expect(checkCachePlace(cache, MOUNT_POINT)).rejects.toMatchObject({
      hint: expect.stringContaining("--ignore '/.cache/izo/nas/'"),
    });
    await checkCachePlace(join(base, "home-cache"), MOUNT_POINT);
  }
  await checkCachePlace(cache, MOUNT_POINT);
  await using _ = await serve({ directory, ...HOST, ignore: ["/.cache/izo/"] });
  await checkCachePlace(cache, MOUNT_POINT);
});

test("a cache is a directory, and not below its own mount", async () => {
  writeFileSync(join(base, "file"), "");
  await expect(checkCachePlace(join(base, "file"), MOUNT_POINT)).rejects.toThrow(
    `Cannot use the cache "${join(base, "file")}": it is not a directory`,
  );
  await expect(checkCachePlace(join(base, "home/c"), join(base, "home"))).rejects.toThrow(
    `the mount at "${join(base, "home")}" would lie over it`,
  );
  await checkCachePlace(join(base, "home/c"), join(base, "home/c2"));
});

test("a directory that holds the cache of a mount is not served, but without it", async () => {
  const directory = join(base, "home");
  const cacheDir = join(directory, ".cache/izo/nas");
  const mount = { mountPoint: join(base, "mnt"), cacheDir, url: "http://nas:1/f" };
  noteMount({ ...mount, pid: process.pid });
  await expect(checkExportPlace(directory, "rootfset", undefined)).rejects.toThrow(
    `the cache of the mount at "${join(base, "mnt")}" is in it`,
  );
  await expect(checkExportPlace(directory, "rootfset", ["*.o"])).rejects.toMatchObject({
    hint: expect.stringContaining("--ignore '/.cache/izo/nas/'"),
  });
  await checkExportPlace(directory, "rootfset", ["/.cache/izo/nas/"]);
  await checkExportPlace(join(directory, "sub"), "rootfset", undefined);
  // What a process that was killed has left is a directory like others.
  noteMount({ ...mount, pid: 2 ** 22 + 1 });
  await checkExportPlace(directory, "rootfset", undefined);
});

test("a directory of an export is served only where the other leaves its log out", async () => {
  const inner = join(base, "home", "sub");
  {
    await using _ = await serve({ directory: join(base, "home"), ...HOST });
    await expect(checkExportPlace(inner, "rootfset", undefined)).rejects.toThrow(
      `Cannot serve "${inner}": it is in "${join(base, "home")}"`,
    );
    await checkExportPlace(join(base, "home"), "other", undefined);
    await checkExportPlace(join(inner, "missing"), "rootfset", undefined);
  }
  await using _ = await serve({ directory: join(base, "home"), ...HOST, ignore: [".intermezzo/"] });
  await checkExportPlace(inner, "rootfset", undefined);
});
