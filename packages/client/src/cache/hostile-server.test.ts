import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type Base,
  type Entry,
  IzoError,
  type Name,
  type Oid,
  type PeerId,
  type Recno,
  type ReplicatedOperation,
  ROOT_OID,
} from "@izo/core";
import { baseAt, fuzzSize, hostileOperation, Random } from "@izo/core/testing";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { rootNode } from "../fuse/file-system.ts";
import { oid, remoteOperations, TestCache } from "../testing/test-cache.ts";

const INPUTS_PER_HISTORY = 25;
const OPERATIONS = 60;
const { content, create, mkdir } = remoteOperations;

let cache: TestCache;
let outside = "";
beforeEach(async () => {
  cache = await TestCache.open();
  outside = mkdtempSync(join(tmpdir(), "izo-outside-"));
  mkdirSync(join(outside, "dir"));
  for (const name of ["file", "dir/f"]) writeFileSync(join(outside, name), "not yours");
});
afterEach(async () => {
  await cache[Symbol.asyncDispose]();
  rmSync(outside, { recursive: true });
});

/** Everything below a directory, with what tells that somebody was there. */
function manifest(path: string): string[] {
  const { mode, uid, gid, size, mtimeMs, nlink, ino } = lstatSync(path);
  const line = [path, mode, uid, gid, size, mtimeMs, nlink, ino].join(" ");
  // Node's own recursion follows symlinks.
  if ((mode & 0o170000) !== 0o040000) return [line];
  return [line, ...readdirSync(path).flatMap((name) => manifest(join(path, name)))];
}

function symlink(id: string, name: string, target: string, parent = ROOT_OID): ReplicatedOperation {
  return { ...create(oid(id), name, parent), opcode: "SYMLINK", target } as ReplicatedOperation;
}

function entry(id: string, parent: Oid): Entry {
  return { parent, name: id as Name, oid: oid(id), version: baseAt(1) };
}

/** A small tree as a server logged it. */
function makeTree(): { oids: Oid[]; entries: Entry[] } {
  const sha256 = cache.store("text");
  cache.remote(
    mkdir(oid("d"), "d"),
    mkdir(oid("e"), "e", oid("d")),
    create(oid("a"), "a"),
    create(oid("b"), "b", oid("d")),
    create(oid("c"), "c", oid("e")),
    symlink("9", "out", join(outside, "dir")),
    symlink("8", "file-out", join(outside, "file"), oid("d")),
    ...["a", "b", "c"].map((id) => content(oid(id), sha256, 4)),
  );
  return {
    oids: ["a", "b", "c", "d", "e", "8", "9", "11", "12"].map(oid),
    entries: [
      entry("a", ROOT_OID),
      entry("b", oid("d")),
      entry("c", oid("e")),
      entry("d", ROOT_OID),
      entry("e", oid("d")),
      { ...entry("9", ROOT_OID), name: "out" as Name },
      { ...entry("8", oid("d")), name: "file-out" as Name },
    ],
  };
}

/** What programs on the mount do: look at everything, and read what they can. */
async function useEverything(node = rootNode, depth = 0): Promise<void> {
  if (depth > 6) return;
  for (const { name } of cache.fs.readdir(node)) {
    const child = cache.fs.lookup(node, name);
    if (child === undefined) continue;
    const { mode } = cache.fs.getattr(child);
    const type = mode & 0o170000;
    // oxlint-disable-next-line no-await-in-loop -- one program
    if (type === 0o040000) await useEverything(child, depth + 1);
    if (type !== 0o100000) continue;
    try {
      // oxlint-disable-next-line no-await-in-loop
      const { fd } = await cache.fs.open(child, 0, { uid: 0, gid: 0, pid: process.pid });
      cache.fs.release(child, fd);
    } catch (error) {
      if (!(error instanceof IzoError)) throw error;
    }
  }
}

describe("a hostile server", () => {
  const { numRuns, seed } = fuzzSize(150);
  const seeds = Array.from(
    { length: Math.ceil(numRuns / INPUTS_PER_HISTORY) },
    (_, index) => seed + index,
  );

  test.each(seeds)(
    "changes nothing outside of the cache, whatever it logs (seed %i) [C5]",
    async (each) => {
      const random = new Random(each);
      const before = manifest(outside);
      const { oids, entries } = makeTree();
      await useEverything();
      const foreign: Base = { peer: "77".repeat(16) as PeerId, recno: 1 as Recno };
      const operation = hostileOperation({
        oids: [ROOT_OID, ...oids],
        // Names in symlinks, too: nothing may be made where they lead.
        directories: [ROOT_OID, oid("d"), oid("e"), oid("9")],
        entries,
        names: [
          "a",
          "b",
          "d",
          "e",
          "f",
          "file",
          "dir",
          "out",
          "x",
          "y",
          ".intermezzo",
          "...",
        ] as Name[],
        contents: [cache.store("text"), cache.store("other")],
        targets: [outside, join(outside, "dir"), "../../../..", "d"],
        bases: [baseAt(0), baseAt(3), foreign],
      });
      let refused = 0;
      for (const logged of fc.sample(operation, { numRuns: OPERATIONS, seed: each })) {
        try {
          cache.remote(logged);
          // oxlint-disable-next-line no-await-in-loop -- a program between two records
          if (random.below(4) === 0) await useEverything();
        } catch (error) {
          if (!(error instanceof Error && "code" in error)) throw error;
          refused += 1;
        }
      }
      expect(refused).toBeLessThan(OPERATIONS);
      expect(manifest(outside)).toEqual(before);
    },
  );
});
