import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { type Recno, type Sha256 } from "@izo/core";
import { expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { LogDivergedError } from "../errors.ts";

it("gives the same chunk to all who ask behind one record, until the log goes on", async () => {
  await using temporary = await temporaryDirectory();
  const { dir } = temporary;
  await mkdir(join(dir, "one"));
  await using exported = await openTestExport(dir);
  const start = exported.positionAt(0 as Recno);
  const limits = { limitRecords: 10 };
  const first = exported.readLog(start, limits);
  expect(exported.readLog({ ...start }, { ...limits })).toBe(first);
  expect(exported.readLog(start, { limitRecords: 1 }).count).toBe(1);

  const { recno } = exported.headPosition;
  await mkdir(join(dir, "two"));
  await exported.waitForRecno(recno, 5_000);
  const more = exported.readLog(start, limits);
  expect(more.count).toBeGreaterThan(first.count);

  const another = { recno: start.recno, hash: "5".repeat(64) as Sha256 };
  expect(() => exported.readLog(another, limits)).toThrow(LogDivergedError);
});
