import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { NO_RECNO, type Recno } from "@izo/core";
import { describe, expect, test } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { CannotResolveError, type ConflictResolution } from "./plan-resolution.ts";

interface Conflicting extends AsyncDisposable {
  readonly dir: string;
  readonly exported: Export;
  /** Somebody edits the file that keeps the name, or the copy. */
  edit(path: string, content: string): Promise<void>;
  decide(kind: ConflictResolution["kind"]): ConflictResolution;
}

/** An export whose `note.txt` two peers have edited. */
async function openConflicting(): Promise<Conflicting> {
  await using stack = new AsyncDisposableStack();
  const { dir } = stack.use(await temporaryDirectory());
  await writeFile(join(dir, "note.txt"), "as both know it");
  const exported = stack.use(await openTestExport(dir));
  const { oid, contentVersion } = exported.lookUp("/note.txt")!.object;
  const first = new TestPeer(exported);
  await first.stage("ours");
  await first.push(closeFile(oid, "ours", contentVersion));
  const second = new TestPeer(exported);
  await second.stage("theirs, later");
  await second.push(closeFile(oid, "theirs, later", contentVersion));
  const held = stack.move();
  return {
    dir,
    exported,
    async edit(path, content) {
      const { object } = exported.lookUp(path)!;
      await first.stage(content);
      await first.push(closeFile(object.oid, content, object.contentVersion, path));
    },
    decide(kind) {
      const copy = exported.conflicts()[0]!.copy.oid;
      const sides = exported.conflictSides(copy)!;
      const seen = {
        copy: sides.copy.contentVersion as Recno,
        original: sides.original!.contentVersion as Recno,
      };
      return { copy, kind, seen };
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

const filesOf = (dir: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir)
      .filter((name) => !name.startsWith("."))
      .map((name) => [name, readFileSync(join(dir, name), "utf8")]),
  );

describe("[K42] resolveConflict()", () => {
  test.each([
    { kind: "ours", files: { "note.txt": "ours" } },
    { kind: "theirs", files: { "note.txt": "theirs, later" } },
    {
      kind: "both",
      files: { "note.txt": "ours", "note.laptop-20231114T221320Z.txt": "theirs, later" },
    },
  ] as const)("carries out $kind by ordinary records", async ({ kind, files }) => {
    await using t = await openConflicting();
    await t.exported.resolveConflict(t.decide(kind));
    expect(t.exported.conflicts()).toEqual([]);
    expect(filesOf(t.dir)).toEqual(files);
    const [record] = t.exported.recordsBehind((t.exported.headPosition.recno - 1) as Recno, 1);
    expect(record!.actor.command).toBe("izo web page");
  });

  test("numbers its records on, and is no peer that somebody waits for", async () => {
    await using t = await openConflicting();
    await t.exported.resolveConflict(t.decide("theirs"));
    const { contentVersion, oid } = t.exported.lookUp("/note.txt")!.object;
    await t.edit("/note.txt", "newer");
    const late = new TestPeer(t.exported);
    await late.stage("later still");
    await late.push(closeFile(oid, "later still", contentVersion));
    await t.exported.resolveConflict(t.decide("ours"));
    expect(filesOf(t.dir)).toEqual({ "note.txt": "newer" });
    expect(t.exported.peers()).toHaveLength(3);
  });

  test.each([
    { description: "the file that keeps the name", which: "original" },
    { description: "the copy", which: "copy" },
  ] as const)("changes nothing when $description was edited since the look", async ({ which }) => {
    await using t = await openConflicting();
    const decision = t.decide("theirs");
    const [conflict] = t.exported.conflicts();
    await t.edit(conflict![which]!.path, "edited meanwhile");
    const head = t.exported.headPosition;
    await expect(t.exported.resolveConflict(decision)).rejects.toThrow(CannotResolveError);
    expect(t.exported.headPosition).toEqual(head);
  });

  test("[S3] keeps what a local program wrote to the file just before", async () => {
    await using t = await openConflicting();
    const decision = t.decide("theirs");
    await writeFile(join(t.dir, "note.txt"), "written here, not yet logged");
    await expect(t.exported.resolveConflict(decision)).rejects.toThrow(CannotResolveError);
    expect(Object.values(filesOf(t.dir))).toContain("written here, not yet logged");
    expect(Object.values(filesOf(t.dir))).toContain("theirs, later");
  });

  test("refuses a conflict that does not stand", async () => {
    await using t = await openConflicting();
    const decision = t.decide("ours");
    await t.exported.resolveConflict(decision);
    await expect(t.exported.resolveConflict(decision)).rejects.toThrow("does not stand");
  });
});

test("lastBy() finds the last record of a time, and lastRecords() those of an object", async () => {
  await using t = await openConflicting();
  const { history, headPosition } = t.exported;
  expect(history.lastBy(0n)).toBe(NO_RECNO);
  expect(history.lastBy(BigInt(Date.now() + 1) * 1_000_000n)).toBe(headPosition.recno);
  const { oid } = t.exported.lookUp("/note.txt")!.object;
  const changes = history.lastRecords(oid, 10).map(({ operation }) => operation.opcode);
  expect(changes).toEqual(["CLOSE", "CLOSE", "CREATE"]);
  expect(history.lastRecords(oid, 1)).toMatchObject([{ operation: { opcode: "CLOSE" } }]);
});
