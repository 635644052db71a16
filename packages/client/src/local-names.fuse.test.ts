import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { LoopbackServer } from "./testing/loopback-server.ts";
import { mountInProcess } from "./testing/mount-in-process.ts";

const SOON = { timeout: 20_000 };

/** Besides `izo mount --ignore`, what root can do to have a directory of a mount elsewhere on the machine. */
test("a directory that is bound over one of a mount keeps what is in it to this machine, and keeps it whatever becomes of the one below", async () => {
  await using cleanup = new AsyncDisposableStack();
  const base = mkdtempSync(join(tmpdir(), "izo-local-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
  const server = cleanup.use(await LoopbackServer.start());
  mkdirSync(join(server.dir, "app/node_modules"), { recursive: true });
  writeFileSync(join(server.dir, "app/main.js"), "shared");
  const [mnt, local] = [join(base, "mnt"), join(base, "local")];
  for (const directory of [mnt, local]) mkdirSync(directory);
  const { control } = cleanup.use(
    await mountInProcess({ url: server.url, mountPoint: mnt, cacheDir: join(base, "cache") }),
  );
  const at = (name: string): string => join(mnt, name);
  await expect.poll(() => existsSync(at("app/node_modules")), SOON).toBe(true);
  execFileSync("mount", ["--bind", local, at("app/node_modules")]);

  mkdirSync(at("app/node_modules/deep"));
  writeFileSync(at("app/node_modules/deep/out"), "built here");
  writeFileSync(at("app/new.js"), "shared");
  await control.flush(AbortSignal.timeout(SOON.timeout));
  expect(readdirSync(join(server.dir, "app")).toSorted()).toEqual([
    "main.js",
    "new.js",
    "node_modules",
  ]);
  expect(readdirSync(join(server.dir, "app/node_modules"))).toEqual([]);
  expect(() => rmdirSync(at("app/node_modules"))).toThrow("EBUSY");
  renameSync(at("app"), at("moved"));
  expect(readFileSync(at("moved/node_modules/deep/out"), "utf8")).toBe("built here");
  await control.flush(AbortSignal.timeout(SOON.timeout));

  // Somebody else removes all of it: the kernel takes the binding away, and not what was bound.
  rmSync(join(server.dir, "moved"), { recursive: true });
  await expect.poll(() => readdirSync(mnt), SOON).toEqual([]);
  expect(readFileSync("/proc/mounts", "utf8")).not.toContain("node_modules");
  expect(readFileSync(join(local, "deep/out"), "utf8")).toBe("built here");
});
