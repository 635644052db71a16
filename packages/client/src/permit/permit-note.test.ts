import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Epoch, type PeerId, ROOT_OID } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { type NotedPermit, PermitNote } from "./permit-note.ts";

let cacheDir = "";
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "izo-permit-note-"));
});
afterEach(() => {
  rmSync(cacheDir, { recursive: true });
});

const permit = (epoch: number): NotedPermit => ({
  oid: ROOT_OID,
  epoch: epoch as Epoch,
  peer: "a".repeat(32) as PeerId,
});

test("a PermitNote finds what was noted before, once each, in its order", () => {
  const note = new PermitNote(cacheDir);
  for (const epoch of [3, 5, 3]) note.add(permit(epoch));
  expect(new PermitNote(cacheDir).permits).toEqual([permit(3), permit(5)]);
});

test("a PermitNote removes one permit, and says whether it was there", () => {
  const note = new PermitNote(cacheDir);
  note.add(permit(3));
  note.add(permit(5));
  expect([note.remove(permit(3)), note.remove(permit(4))]).toEqual([true, false]);
  expect(new PermitNote(cacheDir).permits).toEqual([permit(5)]);
});

test("a PermitNote that cannot be read is empty, and can be written again", () => {
  writeFileSync(join(cacheDir, "permits.json"), '{"permits":[{"oid":"../x"}]}');
  const note = new PermitNote(cacheDir);
  expect(note.permits).toEqual([]);
  note.add(permit(3));
  expect(new PermitNote(cacheDir).permits).toEqual([permit(3)]);
});
