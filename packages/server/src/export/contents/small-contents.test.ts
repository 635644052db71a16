import { hash } from "node:crypto";
import { link, mkdir, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { NO_RECNO, type Recno, type Sha256 } from "@izo/core";
import { expect, test } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";

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

test("[S5] SmallContents gives all of a range that is as noted, each name of it from where it is", async () => {
  await using directory = await temporaryDirectory();
  const { dir } = directory;
  const texts = Array.from({ length: 200 }, (_, index) => `content ${index}`);
  for (const place of ["a", "b", "b/c"]) await mkdir(join(dir, place));
  const placeOf = (index: number): string => join(dir, ["a", "b", "b/c"][index % 3]!, `${index}`);
  for (const [index, text] of texts.entries()) await writeFile(placeOf(index), text);
  for (let index = 0; index < 200; index += 7) await link(placeOf(index), `${placeOf(index)}-too`);
  await writeFile(join(dir, "empty"), "");
  await writeFile(join(dir, "large"), "x".repeat(50));
  await using exported = await openTestExport(dir, { gatherMs: 60_000 });
  await writeFile(placeOf(1), "Content 1");
  await rename(placeOf(3), `${placeOf(3)}-moved`);
  await unlink(placeOf(7));
  using small = exported.smallContents();
  const read = async (after: Recno, until: Recno): Promise<string[]> => {
    const found = new Set<string>();
    for await (const contents of small.between({ after, until, maxBytes: 20 })) {
      for (const { sha256, bytes } of contents) {
        const text = Buffer.from(bytes).toString();
        expect(hashOf(text)).toBe(sha256);
        found.add(text);
      }
    }
    return [...found].toSorted();
  };
  // Of the removed name another one is there, but its inode is no longer as noted.
  const intact = texts.filter((_, index) => index !== 1 && index !== 3 && index !== 7);
  const { recno } = exported.headPosition;
  expect(await read(NO_RECNO, recno)).toEqual(["", ...intact].toSorted());
  const middle = (recno / 2) as Recno;
  const [first, second] = [await read(NO_RECNO, middle), await read(middle, recno)];
  expect([...first, ...second].toSorted()).toEqual(["", ...intact].toSorted());
  for await (const _ of small.between({ after: NO_RECNO, until: recno, maxBytes: 20 })) break;
});
