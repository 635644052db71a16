import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ROOT_OID, type Recno, type ServerRecord } from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { writeIntents } from "./apply/intents.ts";
import { verifyExport } from "./verify-export.ts";

const STATE = ".intermezzo/rootfset";

interface Backup extends AsyncDisposable {
  readonly dir: string;
  /** Puts a part of the export back as it was. */
  restore(part: string): Promise<void>;
}

/** An export with /a and /b, a backup of all of it, and then an edit of /a and a new /c. */
async function makeBackup(dir: string): Promise<Backup> {
  const backup = await temporaryDirectory();
  await writeFile(join(dir, "a"), "one");
  await writeFile(join(dir, "b"), "b");
  await (await openTestExport(dir))[Symbol.asyncDispose]();
  const copy = { recursive: true, preserveTimestamps: true } as const;
  await cp(dir, backup.dir, copy);
  await writeFile(join(dir, "a"), "two, edited");
  await writeFile(join(dir, "c"), "c");
  await (await openTestExport(dir))[Symbol.asyncDispose]();
  return {
    ...backup,
    restore: async (part) => {
      await rm(join(dir, part), { recursive: true });
      await cp(join(backup.dir, part), join(dir, part), copy);
    },
  };
}

describe("an export of which a part came back from a backup", () => {
  it("makes the index anew when the log is older than it, and logs the tree as it stands [D7]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using backup = await makeBackup(dir);
    await backup.restore(`${STATE}/kml`);
    const notices: string[] = [];
    await using exported = await openTestExport(dir, {
      onNotice: (notice) => notices.push(notice),
    });
    expect(notices).toEqual([expect.stringMatching(/it stands at record \d+ of another log/)]);
    expect(await verifyExport(dir)).toEqual([]);
    expect(exported.status()).toMatchObject({ files: 3, heldRemoval: null });
    expect(await readFile(join(dir, "a"), "utf8")).toBe("two, edited");
  });

  it("logs the tree as it stands when all of the state is older, and finds every edit [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using backup = await makeBackup(dir);
    await backup.restore(".intermezzo");
    await using exported = await openTestExport(dir);
    expect(await verifyExport(dir)).toEqual([]);
    expect(exported.status()).toMatchObject({ files: 3, heldRemoval: null });
  });

  it("takes a tree that is older than the state for what somebody made of it [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using backup = await makeBackup(dir);
    for (const name of ["a", "b"]) await backup.restore(name);
    await using exported = await openTestExport(dir);
    expect(await verifyExport(dir)).toEqual([]);
    expect(await readFile(join(dir, "a"), "utf8")).toBe("one");
    expect(exported.lookUp("/a")!.object.sizeBytes).toBe(3);
    expect(exported.lookUp("/c")).not.toBeNull();
  });

  it("does nothing again that the log has, when only the note of it was lost [S1]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using _ = await makeBackup(dir);
    const { recno, ...record } = await firstRecord(dir);
    const path = "/a";
    const attributes = { base: recno, mode: 0o100, uid: 0, gid: 0 };
    const operation = { opcode: "SETATTR", oid: ROOT_OID, path, attributes, times: null } as const;
    const probe = { kind: "repeat", path: Buffer.from("a").toString("base64") } as const;
    const stale = { record: { ...record, recno, operation }, probe, rest: null, links: null };
    await writeIntents(join(dir, STATE, "lml"), [stale]);
    await (await openTestExport(dir))[Symbol.asyncDispose]();
    expect((await stat(join(dir, "a"))).mode & 0o777).not.toBe(0o100);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("puts intents aside that belong to a longer log, and starts", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await (await makeBackup(dir))[Symbol.asyncDispose]();
    const record = await firstRecord(dir);
    const later = { ...record, recno: 900 as Recno };
    await writeIntents(join(dir, STATE, "lml"), [
      { record: later, probe: null, rest: null, links: null },
    ]);
    const notices: string[] = [];
    await using _ = await openTestExport(dir, { onNotice: (text) => notices.push(text) });
    expect(notices).toEqual([expect.stringMatching(/^intents of another log were found/)]);
    expect(await readdir(join(dir, STATE))).toContainEqual(expect.stringMatching(/^lml\.other-/));
    expect(await verifyExport(dir)).toEqual([]);
  });
});

async function firstRecord(dir: string): Promise<ServerRecord> {
  await using exported = await openTestExport(dir);
  const [record] = exported.readLog(exported.positionAt(0 as Recno), {}).records();
  return record!;
}
