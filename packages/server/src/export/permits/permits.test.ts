import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Epoch, type Oid, type PermitLease, type PermitRequest, ROOT_OID } from "@izo/core";
import { describe, expect, it, onTestFinished } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { createFile, newId, TestPeer } from "../../testing/test-peer.ts";
import { PermitHeldError, PermitPassedOnError, UnknownDirectoryError } from "../errors.ts";
import type { Export } from "../export.ts";

const never = new AbortController().signal;
const ANNE = newId();
const BERT = newId();

async function makeDirectory(): Promise<string> {
  const { dir, ...held } = await temporaryDirectory();
  onTestFinished(() => held[Symbol.asyncDispose]());
  return dir;
}

function taking(peer: typeof ANNE, oid: Oid = ROOT_OID, waitSeconds = 0): PermitRequest {
  return { action: "take", peer, host: peer === ANNE ? "anne" : "bert", oid, waitSeconds };
}

async function take(exported: Export, ...request: Parameters<typeof taking>): Promise<PermitLease> {
  return (await exported.permit(taking(...request), never))!;
}

describe("Export.permit()", () => {
  it("grants a permit to one, with all that was logged before", async () => {
    const dir = await makeDirectory();
    await writeFile(join(dir, "a"), "a");
    await using exported = await openTestExport(dir);
    const lease = await take(exported, ANNE);
    expect(lease).toMatchObject({ oid: ROOT_OID, epoch: 1, isWanted: false });
    expect(lease.recno).toBe(exported.headPosition.recno);
    await expect(take(exported, BERT)).rejects.toThrow(PermitHeldError);
    expect(exported.permits()).toMatchObject([{ path: "/", host: "anne", wantedBy: null }]);
  });

  it("keeps grants over a restart, and never gives a number twice", async () => {
    const dir = await makeDirectory();
    {
      await using exported = await openTestExport(dir);
      await take(exported, ANNE);
    }
    await using exported = await openTestExport(dir);
    await expect(take(exported, BERT)).rejects.toThrow(PermitHeldError);
    const fence = { oid: ROOT_OID, epoch: 1 as Epoch };
    const renewal = { action: "renew", peer: ANNE, ...fence, waitSeconds: 0 } as const;
    expect(await exported.permit(renewal, never)).toMatchObject(fence);
    await exported.permit({ action: "hand-back", peer: ANNE, ...fence }, never);
    expect(await take(exported, BERT)).toMatchObject({ epoch: 2 });
    await expect(exported.permit(renewal, never)).rejects.toThrow(PermitPassedOnError);
  });

  it("grants nothing for a term when it cannot read what was granted", async () => {
    const dir = await makeDirectory();
    {
      await using exported = await openTestExport(dir);
      await take(exported, ANNE);
    }
    const state = join(dir, ".intermezzo", "rootfset");
    await writeFile(join(state, "permits"), "{");
    const notices: string[] = [];
    await using exported = await openTestExport(dir, {
      onNotice: (notice) => notices.push(notice),
    });
    await expect(take(exported, BERT)).rejects.toThrow(PermitHeldError);
    expect(notices).toEqual([expect.stringContaining("the list of permits was damaged")]);
    expect(await readdir(state)).toContainEqual(expect.stringMatching(/^permits\.damaged-\d+$/));
  });

  it("tells the holder at once that somebody else asks, and him when it is free", async () => {
    const dir = await makeDirectory();
    await using exported = await openTestExport(dir);
    const fence = { oid: ROOT_OID, epoch: (await take(exported, ANNE)).epoch };
    const renewal = exported.permit(
      { action: "renew", peer: ANNE, ...fence, waitSeconds: 20 },
      never,
    );
    const wish = take(exported, BERT, ROOT_OID, 20);
    expect(await renewal).toMatchObject({ isWanted: true });
    expect(exported.permits()).toMatchObject([{ host: "anne", wantedBy: "bert" }]);
    await exported.permit({ action: "hand-back", peer: ANNE, ...fence }, never);
    expect(await wish).toMatchObject({ epoch: 2 });
  });

  it("passes a lease on when it is over", async () => {
    const dir = await makeDirectory();
    await using exported = await openTestExport(dir, { permitTermMs: 300 });
    await take(exported, ANNE);
    let lease: PermitLease | undefined;
    while (lease === undefined)
      lease = await take(exported, BERT, ROOT_OID, 1).catch(() => undefined);
    expect(exported.permits()).toMatchObject([{ host: "bert", epoch: 2 }]);
  });

  it("keeps subtrees apart by what they are, not by their paths", async () => {
    const dir = await makeDirectory();
    await mkdir(join(dir, "a", "deep"), { recursive: true });
    await mkdir(join(dir, "b"));
    await using exported = await openTestExport(dir);
    const oidOf = (path: string): Oid => exported.lookUp(path)!.object.oid;
    await take(exported, ANNE, oidOf("/a/deep"));
    await take(exported, BERT, oidOf("/b"));
    await expect(take(exported, BERT, oidOf("/a"))).rejects.toThrow(PermitHeldError);
    await expect(take(exported, BERT)).rejects.toThrow(PermitHeldError);
    await rename(join(dir, "a", "deep"), join(dir, "moved"));
    await expect.poll(() => exported.lookUp("/moved")).not.toBeNull();
    expect(exported.permits()).toMatchObject([{ path: "/moved" }, { path: "/b" }]);
    expect(await take(exported, BERT, oidOf("/a"))).toMatchObject({ epoch: 3 });
    await expect(take(exported, BERT, newId())).rejects.toThrow(UnknownDirectoryError);
  });
});

describe("Export.reintegrate() under a permit", () => {
  it("takes nothing of a holder whose permit was passed on, and all of it without", async () => {
    const dir = await makeDirectory();
    await using exported = await openTestExport(dir);
    const anne = new TestPeer(exported);
    const { oid, epoch } = await take(exported, anne.peer);
    const first = anne.record(createFile("first"));
    await anne.send([first], [{ oid, epoch }]);
    await exported.permit({ action: "hand-back", peer: anne.peer, oid, epoch }, never);
    await take(exported, BERT);
    const head = exported.headPosition;
    const both = [first, anne.record(createFile("second"))];
    await expect(anne.send(both, [{ oid, epoch }])).rejects.toThrow(PermitPassedOnError);
    expect(exported.headPosition).toEqual(head);
    expect(await anne.send(both)).toMatchObject([{ verdict: "applied" }, { verdict: "applied" }]);
  });
});
