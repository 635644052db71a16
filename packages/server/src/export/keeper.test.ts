import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

import { ROOT_OID, type ClientOperation, type Name } from "@izo/core";
import { describe, expect, it } from "vitest";

import { temporaryDirectory } from "../testing/temporary-export.ts";
import { makeDirectory, TestPeer } from "../testing/test-peer.ts";
import { DEFAULT_CONTENT_RETENTION } from "./contents/content-retention.ts";
import { noCrash } from "./crash-point.ts";
import { Keeper } from "./keeper.ts";
import { openFileset } from "./open-fileset.ts";

/** The part of an export that watches, without what is around it. */
async function openKeeper(dir: string): Promise<AsyncDisposable & { readonly keeper: Keeper }> {
  await using cleanup = new AsyncDisposableStack();
  const { fileset } = cleanup.use(
    await openFileset({
      dir,
      filesetName: "rootfset",
      nowNs: () => BigInt(Date.now()) * 1_000_000n,
      noteProblem: () => {},
      clearProblem: () => {},
    }),
  );
  const hourMs = 3_600_000;
  const keeper = new Keeper(fileset, new Map(), {
    quietMs: 20,
    writerQuietMs: 300,
    gatherMs: 5,
    retryMs: 100,
    rescanMs: hourMs,
    scanMs: hourMs,
    contentRetention: DEFAULT_CONTENT_RETENTION,
    reach: noCrash,
    onError: (error) => {
      throw error;
    },
  });
  cleanup.defer(() => keeper.stop());
  await keeper.start(false);
  const held = cleanup.move();
  return { keeper, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

describe("Keeper", () => {
  it("watches no directory that clients have removed, of 2,000 that came and went", async () => {
    await using temporary = await temporaryDirectory();
    await using opened = await openKeeper(temporary.dir);
    const { keeper } = opened;
    const peer = new TestPeer({
      reintegrate: (push) => keeper.push(push),
      stageInline: (sha256, bytes) => keeper.contents.stageInline(sha256, bytes),
    });
    // A removal of nearly everything would wait for a confirmation.
    await peer.push(...Array.from({ length: 30 }, (_, index) => makeDirectory(`kept-${index}`)));
    for (let round = 0; round < 10; round += 1) {
      const made = Array.from({ length: 200 }, (_, index) => makeDirectory(`${round}-${index}`));
      const first = peer.nextRecno;
      await peer.push(...made);
      expect(keeper.watchedDirectories).toBe(231);
      const removals = made.map(({ oid }, index): ClientOperation => ({
        opcode: "RMDIR",
        oid,
        parent: ROOT_OID,
        name: `${round}-${index}` as Name,
        path: `/${round}-${index}`,
        nameBase: { peer: peer.peer, recno: (first + index) as typeof first },
      }));
      const results = await peer.push(...removals);
      expect(results.filter(({ verdict }) => verdict !== "applied")).toEqual([]);
    }
    await keeper.settled();
    expect(keeper.watchedDirectories).toBe(31);
  });

  it("watches no directory that local programs have removed", async () => {
    await using temporary = await temporaryDirectory();
    await using opened = await openKeeper(temporary.dir);
    const { keeper } = opened;
    const paths = Array.from({ length: 50 }, (_, index) => join(temporary.dir, `d${index}`));
    for (const path of paths) await mkdir(path);
    await expect.poll(() => keeper.watchedDirectories).toBe(51);
    for (const path of paths) await rmdir(path);
    await expect.poll(() => keeper.watchedDirectories).toBe(1);
  });
});
