import { constants, existsSync } from "node:fs";
import {
  appendFile,
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

import { mknod } from "@izo/sys";
import { describe, expect, it } from "vitest";

import { serveControl } from "../control/serve-control.ts";
import { reindexExport } from "../export/reindex-export.ts";
import { editKeepingTime, rotFile, withIndex } from "../testing/db/rot-file.ts";
import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../testing/test-peer.ts";
import { inspectExport } from "./inspect-export.ts";

const STATE = ".intermezzo/rootfset";

/** A directory that was served and is not any more: /a, /d/b, /d/c, and one old content of /pushed. */
async function makeExport(dir: string): Promise<void> {
  await mkdir(join(dir, "d"));
  for (const name of ["a", "d/b", "d/c"]) await writeFile(join(dir, name), `content of ${name}`);
  await using exported = await openTestExport(dir);
  const peer = new TestPeer(exported);
  const create = createFile("pushed");
  await peer.push(create);
  for (const text of ["one", "two"]) {
    await peer.stage(text);
    const { contentVersion } = exported.lookUp("/pushed")!.object;
    await peer.push(closeFile(create.oid, text, contentVersion, "/pushed"));
  }
}

async function overwrite(path: string, offset: number): Promise<void> {
  const file = await open(path, "r+");
  await file.write("damage", offset);
  await file.close();
}

const DAMAGES = [
  {
    description: "a file that a program has edited",
    damage: (dir: string) => appendFile(join(dir, "a"), "more"),
    expected: {
      path: /^\/a$/,
      between: "log and tree",
      since: expect.any(Number) as number,
      cause: "unlogged",
      found: /^sizeBytes 16/,
    },
  },
  {
    description: "a file with other bytes under an unchanged stat",
    damage: (dir: string) => rotFile(dir, "d/b"),
    expected: {
      path: /^\/d\/b$/,
      between: "log and tree",
      since: expect.any(Number) as number,
      cause: "damaged",
      found: /^content/,
    },
  },
  {
    description: "a file that is gone",
    damage: (dir: string) => rm(join(dir, "d/c")),
    expected: {
      path: /^\/d\/c$/,
      between: "log and tree",
      since: expect.any(Number) as number,
      cause: "unlogged",
      found: /not have it/,
    },
  },
  {
    description: "a directory that was moved away",
    damage: (dir: string) => rename(join(dir, "d"), join(dir, "e")),
    expected: {
      path: /^\/d$/,
      between: "log and tree",
      since: expect.any(Number) as number,
      cause: "unlogged",
      found: /not have it/,
    },
  },
  {
    description: "another mode",
    damage: (dir: string) => chmod(join(dir, "a"), 0o700),
    expected: {
      path: /^\/a$/,
      between: "log and tree",
      since: expect.any(Number) as number,
      cause: "unlogged",
      found: /^mode 448/,
    },
  },
  {
    description: "an index that says something else of an object",
    damage: async (dir: string) =>
      withIndex(dir, (index) =>
        index.exec("UPDATE objects SET uid = uid + 1 WHERE kind = 'file' AND size_bytes = 12"),
      ),
    expected: {
      path: /^\//,
      between: "log and index",
      cause: "damaged",
      found: /^object/,
    },
  },
  {
    description: "an index that knows a name too few",
    damage: async (dir: string) =>
      withIndex(dir, (index) => index.exec("DELETE FROM entries WHERE name = x'61'")),
    expected: { path: /^\/a$/, between: "log and index", cause: "damaged", found: /^names \[\]/ },
  },
  {
    description: "an index that knows an outcome too few",
    damage: async (dir: string) =>
      withIndex(dir, (index) => index.exec("DELETE FROM outcomes WHERE origin_recno = 2")),
    expected: {
      path: /^record 2 of/,
      between: "log and index",
      cause: "damaged",
      found: /undefined/,
    },
  },
  {
    description: "an index with a torn page",
    damage: (dir: string) => overwrite(join(dir, STATE, "index.sqlite"), 0),
    expected: {
      path: /^index\.sqlite$/,
      between: "log and index",
      cause: "damaged",
      found: /cannot be used/,
    },
  },
  {
    description: "an index of a longer log",
    damage: async (dir: string) =>
      withIndex(dir, (index) => index.exec("UPDATE head SET recno = 900")),
    expected: {
      path: /^index\.sqlite$/,
      between: "log and index",
      cause: "damaged",
      found: /record 900 of another log/,
    },
  },
  {
    description: "a flipped bit in the log",
    damage: async (dir: string) => {
      const [segment = ""] = await readdir(join(dir, STATE, "kml"));
      await overwrite(join(dir, STATE, "kml", segment), 300);
    },
    expected: { path: /^kml\/0+1\.kml/, between: "log", cause: "damaged", found: /at offset \d+/ },
  },
  {
    description: "an old content with other bytes",
    damage: async (dir: string) => {
      const [kept = ""] = await readdir(join(dir, STATE, "objects"));
      await writeFile(join(dir, STATE, "objects", kept), "rot");
    },
    expected: { path: /^objects\//, between: "old contents", cause: "damaged", found: /^content / },
  },
];

describe("inspectExport()", () => {
  it("finds nothing in a sound export, stopped or served, and says how much it has looked at", async () => {
    await using temporary = await temporaryDirectory();
    await makeExport(temporary.dir);
    const found = await inspectExport(temporary);
    expect(found).toMatchObject({ differences: [], notices: [], entries: 5, isServed: false });
    expect(found.headRecno).toBeGreaterThan(5);
    await using _ = await openTestExport(temporary.dir);
    expect(await inspectExport(temporary)).toMatchObject({ differences: [], isServed: true });
  });

  it("takes the time of a FIFO for no difference: what flows through it moves that [D4]", async () => {
    await using temporary = await temporaryDirectory();
    const path = join(temporary.dir, "fifo");
    mknod(path, constants.S_IFIFO | 0o600);
    await using _ = await openTestExport(temporary.dir);
    await using fifo = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
    const { mtimeNs } = await fifo.stat({ bigint: true });
    await fifo.write("data");
    expect((await fifo.stat({ bigint: true })).mtimeNs).toBeGreaterThan(mtimeNs);
    expect(await inspectExport(temporary)).toMatchObject({ differences: [], entries: 1 });
  });

  it.each(DAMAGES)(
    "names $description, and the record that touched it last",
    async ({ damage, expected }) => {
      await using temporary = await temporaryDirectory();
      await makeExport(temporary.dir);
      await damage(temporary.dir);
      const { differences } = await inspectExport(temporary);
      expect(differences[0]).toMatchObject({
        ...expected,
        path: expect.stringMatching(expected.path) as string,
        found: expect.stringMatching(expected.found) as string,
      });
    },
  );

  it("hashes nothing when it is quick", async () => {
    await using temporary = await temporaryDirectory();
    await makeExport(temporary.dir);
    await editKeepingTime(join(temporary.dir, "a"), "CONTENT");
    expect((await inspectExport({ ...temporary, isQuick: true })).differences).toEqual([]);
    expect((await inspectExport(temporary)).differences).toMatchObject([
      { path: "/a", cause: "unlogged" },
    ]);
  });

  it("waits for what a served export is about to log, and finds it equal", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await makeExport(dir);
    await using exported = await openTestExport(dir, { quietMs: 200 });
    await using _ = await serveControl(exported);
    await writeFile(join(dir, "new"), "new");
    expect((await inspectExport({ dir })).differences).toEqual([]);
  });
});

describe("reindexExport()", () => {
  it("makes an index that equals the old one, keeps that, and knows old contents again [D7] [D8]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await makeExport(dir);
    withIndex(dir, (index) => index.exec("DELETE FROM entries WHERE name = x'61'"));
    const { headRecno } = await inspectExport({ dir });
    const reindexed = await reindexExport({ dir });
    expect(reindexed.records).toBe(headRecno);
    expect(existsSync(reindexed.putAside!)).toBe(true);
    expect(await inspectExport({ dir })).toMatchObject({ differences: [], headRecno });

    await using exported = await openTestExport(dir);
    expect(exported.headPosition.recno).toBe(headRecno);
    const [old = ""] = await readdir(join(dir, STATE, "objects"));
    const content = await exported.openContent(old as never);
    expect(content?.kind).toBe("open");
  });

  it("refuses while somebody serves the export, and leaves the index where the log is damaged", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await makeExport(dir);
    {
      await using _ = await openTestExport(dir);
      await expect(reindexExport({ dir })).rejects.toMatchObject({ code: "already-served" });
    }
    const index = await readFile(join(dir, STATE, "index.sqlite"));
    const [segment = ""] = await readdir(join(dir, STATE, "kml"));
    await overwrite(join(dir, STATE, "kml", segment), 300);
    await expect(reindexExport({ dir })).rejects.toMatchObject({ code: "kml-damaged" });
    expect(await readFile(join(dir, STATE, "index.sqlite"))).toEqual(index);
  });
});
