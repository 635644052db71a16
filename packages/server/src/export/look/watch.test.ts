import {
  appendFile,
  chmod,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

import type { Recno } from "@izo/core";
import { lsetxattr } from "@izo/sys";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { verifyExport } from "../verify-export.ts";

const A_SECOND_MS = 1_000;

/** Records behind a recno as soon as there are `count`, or as many as there are after a second. */
async function recordsAfter(exported: Export, recno: number, count: number) {
  await exported.waitForRecno((recno + count - 1) as Recno, A_SECOND_MS);
  return [...exported.readLog(exported.positionAt(recno as Recno), {}).records()];
}

function opcodes(records: Awaited<ReturnType<typeof recordsAfter>>): string[] {
  return records.map(({ operation }) => operation.opcode);
}

describe("an export that is watched", () => {
  it.each([
    {
      description: "a new file",
      change: (dir: string) => writeFile(join(dir, "d/new"), "new"),
      expected: ["CREATE", "CLOSE"],
    },
    {
      description: "an append in place",
      change: (dir: string) => appendFile(join(dir, "d/f"), " more"),
      expected: ["CLOSE"],
    },
    {
      description: "an atomic save",
      change: async (dir: string) => {
        await writeFile(join(dir, "d/f.tmp"), "saved");
        await rename(join(dir, "d/f.tmp"), join(dir, "d/f"));
      },
      expected: ["CLOSE"],
    },
    {
      description: "a mode",
      change: (dir: string) => chmod(join(dir, "d/f"), 0o600),
      expected: ["SETATTR"],
    },
    {
      description: "an extended attribute of a directory",
      change: async (dir: string) => lsetxattr(join(dir, "d"), "user.k", Buffer.from("v")),
      expected: ["SETEXTATTR"],
    },
    {
      description: "a removal",
      change: (dir: string) => rm(join(dir, "d/f")),
      expected: ["UNLINK"],
    },
    {
      description: "a new directory with what was put into it at once",
      change: async (dir: string) => {
        await mkdir(join(dir, "n/e/w"), { recursive: true });
        await writeFile(join(dir, "n/e/w/f"), "f");
      },
      expected: ["MKDIR", "MKDIR", "MKDIR", "CREATE", "CLOSE"],
    },
  ])("logs $description within a second [S2]", async ({ change, expected }) => {
    await using temporary = await temporaryDirectory();
    await mkdir(join(temporary.dir, "d"));
    await writeFile(join(temporary.dir, "d/f"), "f");
    await using exported = await openTestExport(temporary.dir);
    const head = exported.headPosition.recno;
    await change(temporary.dir);
    const records = await recordsAfter(exported, head, expected.length);
    expect(opcodes(records)).toEqual(expected);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("logs the rename of a directory of many files as one record [S2] [D1]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await mkdir(join(dir, "from/sub"), { recursive: true });
    for (let index = 0; index < 500; index += 1)
      await writeFile(join(dir, `from/sub/${index}`), "x");
    await mkdir(join(dir, "to"));
    await using exported = await openTestExport(dir);
    const head = exported.headPosition.recno;
    await rename(join(dir, "from"), join(dir, "to/there"));
    const records = await recordsAfter(exported, head, 1);
    expect(opcodes(records)).toEqual(["RENAME"]);
    await writeFile(join(dir, "to/there/sub/7"), "changed under its new name");
    expect(opcodes(await recordsAfter(exported, head + 1, 1))).toEqual(["CLOSE"]);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("logs no echo of what it applied itself", async () => {
    await using temporary = await temporaryDirectory();
    await writeFile(join(temporary.dir, "f"), "f");
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const { object } = exported.lookUp("/f")!;
    await peer.stage("theirs");
    await peer.push(closeFile(object.oid, "theirs", object.contentVersion));
    const head = exported.headPosition.recno;
    await writeFile(join(temporary.dir, "marker"), "");
    const records = await recordsAfter(exported, head, 1);
    expect(opcodes(records)).toEqual(["CREATE"]);
  });

  it("sees what was written under a name that is gone, under the file's other name [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await writeFile(join(dir, "one"), "first");
    await link(join(dir, "one"), join(dir, "two"));
    // Long enough for both changes to be looked at together.
    await using exported = await openTestExport(dir, { gatherMs: 200 });
    const head = exported.headPosition.recno;
    await appendFile(join(dir, "two"), ", second");
    await rm(join(dir, "two"));
    expect(opcodes(await recordsAfter(exported, head, 2))).toEqual(["UNLINK", "CLOSE"]);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("waits for a writer to close its file, but not for ever [S2]", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir, { writerQuietMs: 400 });
    const head = exported.headPosition.recno;
    await using file = await open(join(temporary.dir, "log"), "w");
    await file.write("line\n");
    await exported.waitForRecno(head, 200);
    expect(exported.headPosition.recno).toBe(head);
    expect(opcodes(await recordsAfter(exported, head, 2))).toEqual(["CREATE", "CLOSE"]);
  });

  it("keeps what a writer wrote after its file was replaced, as a copy [S3]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    const path = join(dir, "f.txt");
    await writeFile(path, "first");
    await using exported = await openTestExport(dir);
    const peer = new TestPeer(exported);
    const { object } = exported.lookUp("/f.txt")!;
    await peer.stage("theirs");
    const writer = await open(path, "r+");
    await peer.push(closeFile(object.oid, "theirs", object.contentVersion));
    expect(await readFile(path, "utf8")).toBe("theirs");
    await writer.write("written to an inode that has no name");
    await writer.close();
    const { recno } = exported.headPosition;
    await exported.waitForRecno((recno + 1) as Recno, 5 * A_SECOND_MS);
    const copies = (await readdir(dir)).filter((name) => name.includes(".conflict-"));
    expect(copies).toHaveLength(1);
    expect(await readFile(join(dir, copies[0]!), "utf8")).toMatch(/^written to an inode/);
    expect(await verifyExport(dir)).toEqual([]);
  });
});
