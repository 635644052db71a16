import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import type { FilesetId } from "@izo/core";
import { fstatat, utimensat } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { shortPath } from "../cache/tree/long-path.ts";
import { claimCache } from "../sync/replica/cache-identity.ts";
import { oid, remoteOperations, TestCache } from "../testing/test-cache.ts";
import { inspectCache, type CacheInspection } from "./inspect-cache.ts";
import { readCache } from "./read-cache.ts";
import { repairCache } from "./repair-cache.ts";

let cache: TestCache;

const inCache = (name: string) => join(cache.cacheDir, name);

/** A cache with a directory that nobody looked into, fetched, own and pending content. */
beforeEach(async () => {
  cache = await TestCache.open();
  const { create, mkdir, content } = remoteOperations;
  cache.remote(
    create(oid("a"), "fetched"),
    content(oid("a"), cache.store("fetched content"), 15),
    create(oid("b"), "absent"),
    content(oid("b"), cache.store("absent content"), 14),
    mkdir(oid("c"), "closed"),
    create(oid("d"), "inside", oid("c")),
  );
  cache.list("/");
  await cache.read("/fetched");
  cache.mkdir("/own");
  await cache.write("/own/sent", "sent content");
  await cache.push();
  await cache.write("/own/pending", "pending content");
});

afterEach(() => cache[Symbol.asyncDispose]());

/** As the process of a mount does. */
function inspectOpen(isQuick = false): Promise<CacheInspection> {
  const { replica, cacheDir } = cache;
  return inspectCache(
    {
      cacheDir,
      form: cache.form,
      peer: replica.peer,
      visible: () => replica.visible,
      recno: replica.position.recno,
      indexDamage: replica.describeDamage(),
      notices: [],
      isMounted: true,
    },
    { isQuick, signal: new AbortController().signal },
  );
}

/** Ends the use of the cache, and inspects what is left. */
async function inspectClosed(damage: () => void): Promise<CacheInspection> {
  claimCache(cache.cacheDir, {
    fileset: "f5".repeat(16) as FilesetId,
    url: "http://test/rootfset",
  });
  cache.local[Symbol.dispose]();
  await cache.kill();
  damage();
  try {
    using closed = readCache(cache.cacheDir);
    return await inspectCache(closed, { isQuick: false, signal: new AbortController().signal });
  } finally {
    await cache.start();
  }
}

/** Writes bytes as a failing disk does: size and mtime stay. */
function rot(name: string): void {
  using at = shortPath(inCache(`tree/${name}`));
  const { path } = at;
  const { mtimeNs } = fstatat(-1, path, { noFollow: true });
  const fd = openSync(path, "r+");
  writeSync(fd, "#", 3);
  closeSync(fd);
  utimensat(-1, path, "omit", mtimeNs, { noFollow: true });
}

function overwrite(name: string, offset: number): void {
  const fd = openSync(inCache(name), "r+");
  writeSync(fd, "damage", offset);
  closeSync(fd);
}

const CASES = [
  {
    description: "fetched content with other bytes",
    damage: () => rot("fetched"),
    expected: { path: "/fetched", cause: "damaged", found: /^content / },
  },
  {
    description: "own content with other bytes than were sent",
    damage: () => rot("own/sent"),
    expected: { path: "/own/sent", cause: "damaged", found: /^content / },
  },
  {
    description: "own content that no record tells of",
    damage: () => writeFileSync(inCache("tree/own/sent"), "more than was sent"),
    expected: { path: "/own/sent", cause: "unlogged", found: /^18 bytes/ },
  },
  {
    description: "a name that is missing",
    damage: () => rmSync(inCache("tree/absent")),
    expected: { path: "/absent", cause: "damaged", found: /does not have it/ },
  },
  {
    description: "a name that nobody knows",
    damage: () => writeFileSync(inCache("tree/own/surplus"), ""),
    expected: { path: "/own/surplus", cause: "unlogged", found: /only the cache/ },
  },
  {
    description: "a file without its mark",
    damage: () => cache.dropMark(inCache("tree/fetched")),
    expected: { path: "/fetched", cause: "damaged", found: /no mark/ },
  },
  {
    description: "a mark of another object",
    damage: () => {
      const mark = cache.form.readMark(inCache("tree/fetched"))!;
      cache.form.writeMark(inCache("tree/fetched"), { ...mark, oid: oid("b") });
    },
    expected: { path: "/fetched", cause: "damaged", found: /its mark says object/ },
  },
  {
    description: "a flipped bit in the own log",
    damage: () => {
      const [peer = ""] = readdirSync(inCache("kml"));
      const [segment = ""] = readdirSync(inCache(`kml/${peer}`));
      overwrite(`kml/${peer}/${segment}`, 300);
    },
    expected: { path: /^kml\//, cause: "damaged", found: /at offset \d+/ },
  },
];

describe("inspectCache()", () => {
  test.runIf(TestCache.showsOwners)("finds nothing in a sound cache, open or closed", async () => {
    const open = await inspectOpen();
    expect(open).toMatchObject({ differences: [], isMounted: true });
    expect(open.entries).toBeGreaterThan(4);
    expect(open.bytes).toBe("fetched content".length + "sent content".length);
    const closed = await inspectClosed(() => {});
    expect(closed).toMatchObject({ differences: [], notices: [], isMounted: false });
    expect(closed.entries).toBe(open.entries);
  });

  test.each(CASES)("names $description", async ({ damage, expected }) => {
    damage();
    const { differences } = await inspectOpen();
    expect(differences).toHaveLength(1);
    const [{ path, found, cause } = { path: "", found: "", cause: "" }] = differences;
    expect(path).toMatch(expected.path);
    expect(found).toMatch(expected.found);
    expect(cause).toBe(expected.cause);
  });

  test("hashes nothing when it is quick", async () => {
    rot("fetched");
    expect(await inspectOpen(true)).toMatchObject({ differences: [], bytes: 0 });
  });

  test("says of a closed cache that its index is damaged, and changes nothing", async () => {
    const { differences } = await inspectClosed(() => overwrite("index.sqlite", 0));
    expect(differences).toMatchObject([{ path: "index.sqlite", between: "index" }]);
  });

  test("says of a cache that was killed that the next mount compares it", async () => {
    claimCache(cache.cacheDir, { fileset: "f5".repeat(16) as FilesetId, url: "http://test/x" });
    await cache.kill();
    {
      using killed = readCache(cache.cacheDir);
      expect(killed.notices).toEqual([expect.stringContaining("did not end well")]);
    }
    await cache.start();
  });

  test("finds no cache where none was used", () => {
    expect(() => readCache(inCache("tree"))).toThrow("it was never mounted");
  });
});

describe("repairCache()", () => {
  const signal = new AbortController().signal;

  test.runIf(TestCache.showsOwners)(
    "puts rotten bytes aside, so that they are fetched again, and deletes nothing",
    async () => {
      await inspectClosed(() => {});
      cache.local[Symbol.dispose]();
      await cache.kill();
      rot("fetched");
      rot("own/pending");
      rmSync(inCache("tree/absent"));
      const expected = [
        { path: "/absent", action: "recover" },
        { path: "/fetched", action: "refetch" },
      ];
      const planned = await repairCache(cache.cacheDir, { isDryRun: true, signal });
      expect(planned).toMatchObject(expected);
      expect(existsSync(inCache("rescue"))).toBe(false);
      await repairCache(cache.cacheDir, { isDryRun: false, signal });
      const [found = ""] = readdirSync(inCache("rescue"));
      expect(readFileSync(inCache(`rescue/${found}/fetched`), "utf8")).toBe("fet#hed content");

      await cache.start();
      expect(await inspectOpen()).toMatchObject({ differences: [] });
      expect(await cache.read("/fetched")).toBe("fetched content");
      expect(await cache.read("/absent")).toBe("absent content");
      expect(await cache.read("/own/pending")).toBe("pen#ing content");
    },
  );
});

// The next user of a cache tells from its own rights how inodes show their objects, which are root's here.
test.runIf(TestCache.showsOwners)(
  "inspectCache() and repairCache() go deeper than the kernel takes a path",
  async () => {
    const name = "d".repeat(200);
    const paths = Array.from({ length: 40 }, (_, index) => `/${name}`.repeat(index + 1));
    const deep = `${paths.at(-1)}/file`;
    try {
      for (const path of paths) cache.mkdir(path);
      await cache.write(deep, "deep content");
      await cache.push();
      expect(await inspectOpen()).toMatchObject({ differences: [] });
      await inspectClosed(() => rot(deep));
      const { differences } = await inspectOpen();
      expect(differences).toMatchObject([{ path: deep, cause: "damaged" }]);

      cache.local[Symbol.dispose]();
      await cache.kill();
      const { signal } = new AbortController();
      expect(await repairCache(cache.cacheDir, { isDryRun: false, signal })).toMatchObject([
        { path: deep, action: "refetch" },
      ]);
      await cache.start();
      expect(await cache.read(deep)).toBe("deep content");
      expect(await inspectOpen()).toMatchObject({ differences: [] });
    } finally {
      // Removed by a program that goes down in steps.
      execFileSync("rm", ["-rf", inCache("tree")]);
    }
  },
);
