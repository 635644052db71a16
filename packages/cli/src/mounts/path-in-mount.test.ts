import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { forgetMount, noteMount } from "./mount-registry.ts";
import { NotMountedError } from "./open-mount.ts";
import { findPathInMount, findPathsInMount } from "./path-in-mount.ts";

let base = "";
let cleanup: DisposableStack;

/** What `izo mount` notes; nothing is mounted. */
function noted(name: string): string {
  const mountPoint = join(base, name);
  mkdirSync(join(mountPoint, "docs"), { recursive: true });
  noteMount({ mountPoint, cacheDir: join(base, "cache"), url: "http://nas:1/f", pid: process.pid });
  cleanup.defer(() => forgetMount(mountPoint));
  return mountPoint;
}

beforeEach(() => {
  cleanup = new DisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-paths-"));
  cleanup.defer(() => rmSync(base, { recursive: true }));
});

afterEach(() => {
  cleanup.dispose();
});

test("findPathInMount() finds the mount above a path, and the path below it", () => {
  const mnt = noted("mnt");
  const found = (path: string): string => findPathInMount(join(mnt, path)).path;
  expect([found("docs/a"), found("docs"), found("gone/b"), found("")]).toEqual([
    "/docs/a",
    "/docs",
    "/gone/b",
    "/",
  ]);
  expect(findPathInMount(join(mnt, "docs")).mount.mountPoint).toBe(mnt);
});

test("findPathInMount() takes the nearest mount, and refuses a path on none", () => {
  const outer = noted("mnt");
  const inner = noted("mnt/inner");
  expect(findPathInMount(join(inner, "docs")).mount.mountPoint).toBe(inner);
  expect(() => findPathInMount(`${outer}-not/docs`)).toThrow(NotMountedError);
});

test("findPathsInMount() refuses paths on two mounts", () => {
  const [one, other] = [noted("one"), noted("other")];
  expect(findPathsInMount([join(one, "docs"), one]).paths).toEqual(["/docs", "/"]);
  expect(() => findPathsInMount([one, other])).toThrow("the first path is on another mount");
});
