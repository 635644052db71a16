import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FilesetId } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import {
  claimCache,
  ForeignCacheError,
  InvalidCacheError,
  readCacheIdentity,
} from "./cache-identity.ts";

const OURS = { fileset: "a1".repeat(16) as FilesetId, url: "http://one:8370/rootfset" };
const THEIRS = { fileset: "b2".repeat(16) as FilesetId, url: "http://two:8370/rootfset" };

let cacheDir: string;

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "izo-identity-"));
});

afterEach(() => {
  rmSync(cacheDir, { recursive: true });
});

test("claimCache() makes a new cache one of the fileset", () => {
  expect(readCacheIdentity(cacheDir)).toBeUndefined();
  claimCache(cacheDir, OURS);
  expect(readCacheIdentity(cacheDir)).toEqual(OURS);
});

test("claimCache() follows a server that has moved", () => {
  claimCache(cacheDir, OURS);
  claimCache(cacheDir, { ...OURS, url: THEIRS.url });
  expect(readCacheIdentity(cacheDir)).toEqual({ ...OURS, url: THEIRS.url });
});

test("claimCache() refuses the cache of another fileset and leaves it as it is", () => {
  claimCache(cacheDir, OURS);
  expect(() => claimCache(cacheDir, THEIRS)).toThrow(ForeignCacheError);
  expect(readCacheIdentity(cacheDir)).toEqual(OURS);
});

test.each([["{"], ["{}"], ['{"version":2,"fileset":"x","url":"y"}']])(
  "readCacheIdentity() refuses the configuration %s",
  (text) => {
    writeFileSync(join(cacheDir, "config.json"), text);
    expect(() => readCacheIdentity(cacheDir)).toThrow(InvalidCacheError);
  },
);
