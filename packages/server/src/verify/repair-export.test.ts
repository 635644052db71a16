import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { rotFile, withIndex } from "../testing/db/rot-file.ts";
import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { inspectExport } from "./inspect-export.ts";
import { repairExport } from "./repair-export.ts";

const STATE = ".intermezzo/rootfset";

/** /twice and /d/same hold one content, /only another. */
async function makeExport(dir: string): Promise<void> {
  await mkdir(join(dir, "d"));
  await writeFile(join(dir, "twice"), "held twice");
  await writeFile(join(dir, "d/same"), "held twice");
  await writeFile(join(dir, "only"), "held once");
  await (await openTestExport(dir))[Symbol.asyncDispose]();
}

/** Contents of all files below rescue. */
async function rescued(dir: string): Promise<string[]> {
  const files = await readdir(join(dir, STATE, "rescue"), { recursive: true, withFileTypes: true });
  const found = files.filter((file) => file.isFile());
  return Promise.all(found.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8")));
}

describe("repairExport()", () => {
  it("restores a damaged content that is here elsewhere, and puts the damaged one aside", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await makeExport(dir);
    await rotFile(dir, "twice");
    const { headRecno } = await inspectExport({ dir });
    const expected = [{ path: "/twice", action: "restore" }];
    expect(await repairExport({ dir, isDryRun: true })).toMatchObject(expected);
    expect(await readFile(join(dir, "twice"), "utf8")).toBe("#eld twice");
    expect(await repairExport({ dir, isDryRun: false })).toMatchObject(expected);

    expect(await readFile(join(dir, "twice"), "utf8")).toBe("held twice");
    expect(await rescued(dir)).toEqual(["#eld twice"]);
    expect(await inspectExport({ dir })).toMatchObject({ differences: [], headRecno });
    await using exported = await openTestExport(dir);
    expect(exported.headPosition.recno).toBe(headRecno);
  });

  it("has a damaged content logged of which there is no other, and an index made anew", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await makeExport(dir);
    await rotFile(dir, "only");
    withIndex(dir, (index) => index.exec("DELETE FROM entries WHERE name = x'7477696365'"));
    expect(await repairExport({ dir, isDryRun: false })).toMatchObject([
      { path: "index.sqlite", action: "reindex" },
      { path: "/only", action: "log" },
    ]);
    await (await openTestExport(dir))[Symbol.asyncDispose]();
    expect((await inspectExport({ dir })).differences).toEqual([]);
    expect(await readFile(join(dir, "only"), "utf8")).toBe("#eld once");
  });

  it("does not take a second damaged content for the right one", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await makeExport(dir);
    await rotFile(dir, "twice");
    await rotFile(dir, "d/same");
    expect(await repairExport({ dir, isDryRun: false })).toMatchObject([
      { path: "/twice", action: "log" },
      { path: "/d/same", action: "log" },
    ]);
    expect(await readFile(join(dir, "twice"), "utf8")).toBe("#eld twice");
    expect(await readdir(join(dir, STATE, "staging/apply"))).toEqual([]);
  });

  it("leaves what a program has changed, and refuses while the export is served", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await makeExport(dir);
    await writeFile(join(dir, "only"), "edited");
    expect(await repairExport({ dir, isDryRun: false })).toEqual([]);
    await using _ = await openTestExport(dir);
    const repairing = repairExport({ dir, isDryRun: true });
    await expect(repairing).rejects.toMatchObject({ code: "already-served" });
  });
});
