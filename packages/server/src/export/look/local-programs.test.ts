import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ClientOperation, Name } from "@izo/core";
import { Random } from "@izo/core/testing";
import { describe, expect, it, vi } from "vitest";

import { pickPlace, runLocalPrograms } from "../../testing/local-programs.ts";
import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { verifyExport } from "../verify-export.ts";

const RUN_MS = 1_200;
/** Inodes that were replaced under a writer are looked at once a second. */
const SETTLE_MS = 8_000;

/** On a machine with other work that takes longer. */
const LEAST_WRITES = 12;

/** A client that changes what it sees of the export, until the signal aborts. Returns what it wrote. */
async function pushAtRandom(
  exported: Export,
  random: Random,
  signal: AbortSignal,
): Promise<string[]> {
  const peer = new TestPeer(exported);
  const written: string[] = [];
  while (!signal.aborted || written.length < LEAST_WRITES) {
    const { directory, name } = pickPlace(random);
    const found = exported.lookUp(`/${directory}`);
    if (found?.object.kind !== "directory") {
      await sleep(1);
      continue;
    }
    const text = `<pushed ${peer.nextRecno}>`;
    await peer.stage(text);
    const files = found.children.filter(({ object }) => object.kind === "file");
    const choice = files.length === 0 ? 3 : random.below(4);
    if (choice === 3) {
      const made = createFile(name, undefined, found.object.oid);
      const base = { peer: peer.peer, recno: peer.nextRecno };
      await peer.push(made, closeFile(made.oid, text, base));
      written.push(text);
      continue;
    }
    const { object, entry } = random.pick(files);
    const { oid, contentVersion: contentBase } = object;
    if (choice === 2) {
      await peer.push(closeFile(oid, text, contentBase));
      written.push(text);
      continue;
    }
    const removal: ClientOperation = {
      opcode: "UNLINK",
      oid,
      parent: entry.parent,
      name: entry.name,
      path: "/",
      nameBase: entry.version,
      contentBase,
      isLastName: true,
    };
    const move: ClientOperation = {
      opcode: "RENAME",
      oid,
      contentBase,
      fromParent: entry.parent,
      fromName: entry.name,
      fromPath: "/",
      fromBase: entry.version,
      toParent: found.object.oid,
      toName: name as Name,
      toPath: "/",
      victim: null,
      keepsOid: false,
      conflict: null,
    };
    await peer.push(choice === 0 ? removal : move);
  }
  return written;
}

/** All that is in the files of a directory and below, but for what has not arrived in the tree yet. */
async function readAll(dir: string): Promise<string> {
  const found = await readdir(dir, { recursive: true });
  const names = found.filter((name) => !name.startsWith(".intermezzo/rootfset/staging"));
  const texts = await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name);
      return (await stat(path)).isFile() ? readFile(path, "latin1") : "";
    }),
  );
  return texts.join("\n");
}

describe("local programs beside a client that pushes", () => {
  it.each([1, 2, 3].map((seed) => ({ seed })))(
    "lose no content, and tree, index and log agree in the end: seed $seed [S2] [S3] [D8]",
    async ({ seed }) => {
      await using temporary = await temporaryDirectory();
      await using removed = await temporaryDirectory();
      const { dir } = temporary;
      const errors: unknown[] = [];
      await using exported = await openTestExport(dir, { onError: (error) => errors.push(error) });
      const signal = AbortSignal.timeout(RUN_MS);
      const local = { dir, removedDir: removed.dir, random: new Random(seed), signal };
      const written = await Promise.all([
        runLocalPrograms(local),
        pushAtRandom(exported, new Random(seed + 1_000), signal),
      ]);
      const state = join(dir, ".intermezzo/rootfset");
      await vi.waitFor(
        async () => {
          expect(errors).toEqual([]);
          expect(await readdir(join(state, "staging/apply"))).toEqual([]);
          expect(await verifyExport(dir)).toEqual([]);
        },
        { timeout: SETTLE_MS, interval: 100 },
      );
      // The tree with its copies, old contents and all that local programs took away themselves.
      const kept = `${await readAll(dir)}\n${await readAll(removed.dir)}`;
      expect(written.flat().length).toBeGreaterThanOrEqual(LEAST_WRITES);
      expect(written.flat().filter((text) => !kept.includes(text))).toEqual([]);
      expect(exported.status().problems).toEqual([]);
    },
  );
});
