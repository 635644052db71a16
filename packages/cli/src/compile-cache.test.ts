import { userInfo } from "node:os";

import { expect, it } from "vitest";

import { compileCacheDirectory } from "./compile-cache.ts";

it("compileCacheDirectory() is nowhere that another user can make first", () => {
  const { homedir } = userInfo();
  const ofCaller = { HOME: "/home/caller", TMPDIR: "/tmp", XDG_CACHE_HOME: "/home/caller/.cache" };
  expect(compileCacheDirectory(ofCaller)).toBe(`${homedir}/.cache/izo/compiled`);
});

it("compileCacheDirectory() is where its user says", () => {
  expect(compileCacheDirectory({ NODE_COMPILE_CACHE: "/var/cache/node" })).toBe("/var/cache/node");
});
