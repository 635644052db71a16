import { hash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Sha256 } from "@izo/core";
import { expect, test } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";

const hashOf = (text: string): Sha256 => hash("sha256", text) as Sha256;

test("[S5] SmallContents reads what is as noted, by the directories as they were when it opened them", async () => {
  await using directory = await temporaryDirectory();
  const { dir } = directory;
  for (const name of ["a", "b"]) {
    await mkdir(join(dir, name));
    for (const file of ["1", "2"]) await writeFile(join(dir, name, file), `${name}${file}`);
  }
  await using exported = await openTestExport(dir, { gatherMs: 60_000 });
  using contents = exported.smallContents();
  const read = async (text: string): Promise<string | null> => {
    const bytes = await contents.read(hashOf(text));
    return bytes && Buffer.from(bytes).toString();
  };
  expect(await read("a1")).toBe("a1");
  await writeFile(join(dir, "a/2"), "xx");
  expect(await read("a2")).toBeNull();
  // Nobody has opened it yet, and it is not where the log says.
  await rename(join(dir, "b"), join(dir, "c"));
  expect(await read("b1")).toBeNull();
  expect(await read("nowhere")).toBeNull();
});
