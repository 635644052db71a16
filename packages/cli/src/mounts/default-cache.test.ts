import { expect, test } from "vitest";

import { defaultCacheDir } from "./default-cache.ts";

test("defaultCacheDir() is one directory per fileset, and no path leads out of it", () => {
  const env = { XDG_CACHE_HOME: "/cache", HOME: "/home/a" };
  expect(defaultCacheDir("http://nas:8370/rootfset", env)).toBe("/cache/izo/nas_8370_rootfset");
  expect(defaultCacheDir("http://[::1]:8370/a/", env)).toBe("/cache/izo/_1_8370_a");
  expect(defaultCacheDir("http://nas/%2e%2e/..", { HOME: "/home/a" })).toBe(
    "/home/a/.cache/izo/nas_2e_2e_..",
  );
});
