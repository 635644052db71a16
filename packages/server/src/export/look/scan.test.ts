import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

import { utimens } from "@izo/sys";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import type { Export } from "../export.ts";
import { verifyExport } from "../verify-export.ts";

/** Names of the operations that were logged after a recno. */
function opcodesAfter(exported: Export, recno: number): string[] {
  const chunk = exported.readLog(exported.positionAt(recno as never), {});
  return [...chunk.records()].map(({ operation }) => operation.opcode);
}

/** Runs an export once over a directory and closes it, so that the next one starts with what it left. */
async function scanOnce(dir: string): Promise<number> {
  await using exported = await openTestExport(dir);
  return exported.headPosition.recno;
}

async function fill(dir: string): Promise<void> {
  await mkdir(join(dir, "deep/er/est"), { recursive: true });
  await writeFile(join(dir, "deep/er/est/file"), "content");
  await writeFile(join(dir, "empty"), "");
  await writeFile(join(dir, "grüße aus köln.txt"), "umlaut");
  await writeFile(Buffer.concat([Buffer.from(`${dir}/bad-`), Buffer.from([0xff, 0xfe])]), "bytes");
  await writeFile(join(dir, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  await symlink("../outside", join(dir, "dangling"));
  await link(join(dir, "run.sh"), join(dir, "deep/same.sh"));
  await utimes(join(dir, "empty"), 1, 1_234_567_890.123);
}

describe("a scan at start", () => {
  it("logs a file of a year that no 64 bits of nanoseconds reach, and all others", async () => {
    await using temporary = await temporaryDirectory();
    await writeFile(join(temporary.dir, "a"), "from the future");
    await writeFile(join(temporary.dir, "b"), "of today");
    // The year 2400, which ext4 keeps.
    utimens(join(temporary.dir, "a"), 0n, 13_569_465_600_000_000_000n);
    await using exported = await openTestExport(temporary.dir);
    expect(exported.lookUp("/a")?.object.mtimeNs).toBe(2n ** 63n - 1n);
    expect(exported.lookUp("/b")).not.toBeNull();
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("logs everything that stands in a filled directory [S2]", async () => {
    await using temporary = await temporaryDirectory();
    await fill(temporary.dir);
    await using exported = await openTestExport(temporary.dir);
    expect(await verifyExport(temporary.dir)).toEqual([]);
    const [one, two] = ["/run.sh", "/deep/same.sh"].map(
      (path) => exported.lookUp(path)!.object.oid,
    );
    expect(one).toBe(two);
    expect(exported.lookUp("/.intermezzo")).toBeNull();
    expect(exported.status()).toMatchObject({ files: 5, heldRemoval: null, problems: [] });
  });

  it("logs nothing the second time", async () => {
    await using temporary = await temporaryDirectory();
    await fill(temporary.dir);
    const head = await scanOnce(temporary.dir);
    expect(await scanOnce(temporary.dir)).toBe(head);
  });

  it("logs nothing when all of the index is lost and every file is hashed again [D7]", async () => {
    await using temporary = await temporaryDirectory();
    await fill(temporary.dir);
    const head = await scanOnce(temporary.dir);
    for (const suffix of ["", "-wal", "-shm"]) {
      await rm(join(temporary.dir, ".intermezzo/rootfset", `index.sqlite${suffix}`), {
        force: true,
      });
    }
    expect(await scanOnce(temporary.dir)).toBe(head);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it.each([
    {
      description: "a renamed directory is one record",
      change: (dir: string) => rename(join(dir, "deep"), join(dir, "moved")),
      opcodes: ["RENAME"],
    },
    {
      description: "an atomic save is an edit of the same object",
      change: async (dir: string) => {
        await writeFile(join(dir, "empty.tmp"), "saved");
        await rename(join(dir, "empty.tmp"), join(dir, "empty"));
      },
      opcodes: ["CLOSE"],
    },
    {
      description: "a file that was removed and made again is an edit of the same object",
      change: async (dir: string) => {
        const { uid, gid } = await stat(join(dir, "empty"));
        expect([uid, gid]).toEqual([process.getuid!(), process.getgid!()]);
        await unlink(join(dir, "empty"));
        await writeFile(join(dir, "empty"), "again");
      },
      opcodes: ["CLOSE"],
    },
    {
      description: "a backup by rename keeps its object, and the name is made anew",
      change: async (dir: string) => {
        await rename(join(dir, "empty"), join(dir, "empty~"));
        await writeFile(join(dir, "empty"), "new");
      },
      opcodes: ["RENAME", "CREATE", "CLOSE"],
    },
    {
      description: "a change of permissions is one SETATTR",
      change: (dir: string) => chmod(join(dir, "run.sh"), 0o700),
      opcodes: ["SETATTR"],
    },
    {
      description: "one more name of a file is a LINK",
      change: (dir: string) => link(join(dir, "empty"), join(dir, "deep/other")),
      opcodes: ["LINK"],
    },
    {
      description: "two files that changed places stay the objects that they were",
      change: async (dir: string) => {
        await rename(join(dir, "empty"), join(dir, "t"));
        await rename(join(dir, "run.sh"), join(dir, "empty"));
        await rename(join(dir, "t"), join(dir, "run.sh"));
      },
      opcodes: ["RENAME", "RENAME", "RENAME"],
    },
    {
      description: "a removed directory ends with all below it",
      change: (dir: string) => rm(join(dir, "deep/er"), { recursive: true }),
      opcodes: ["UNLINK", "RMDIR", "RMDIR"],
    },
    {
      description: "a file in a directory's place is another object",
      change: async (dir: string) => {
        await rm(join(dir, "deep/er"), { recursive: true });
        await writeFile(join(dir, "deep/er"), "file");
      },
      opcodes: ["UNLINK", "RMDIR", "RMDIR", "CREATE", "CLOSE"],
    },
  ])("$description [D2]", async ({ change, opcodes }) => {
    await using temporary = await temporaryDirectory();
    await fill(temporary.dir);
    const head = await scanOnce(temporary.dir);
    await change(temporary.dir);
    await using exported = await openTestExport(temporary.dir);
    expect(opcodesAfter(exported, head)).toEqual(opcodes);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("never takes a new file for a moved one because it got its inode number [S2]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await writeFile(join(dir, "old"), "old");
    const head = await scanOnce(dir);
    await unlink(join(dir, "old"));
    await writeFile(join(dir, "new"), "new");
    await using exported = await openTestExport(dir);
    const opcodes = opcodesAfter(exported, head);
    // ext4 gives the number away at once; whether it does or not, these are two objects.
    expect(opcodes).toEqual(["CREATE", "CLOSE", "UNLINK"]);
  });

  it("holds a removal of more than half until it is confirmed [S4]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await mkdir(join(dir, "d"));
    for (let index = 0; index < 30; index += 1) await writeFile(join(dir, `d/${index}`), "x");
    const head = await scanOnce(dir);
    await rm(join(dir, "d"), { recursive: true });
    {
      await using exported = await openTestExport(dir);
      expect(exported.status().heldRemoval).toEqual({ removed: 31, objects: 31 });
      expect(exported.headPosition.recno).toBe(head);
    }
    await using exported = await openTestExport(dir, { confirmsRemoval: true });
    expect(exported.status().heldRemoval).toBeNull();
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("reports a damaged index, keeps it, and rebuilds it from the log [D7]", async () => {
    await using temporary = await temporaryDirectory();
    await fill(temporary.dir);
    const head = await scanOnce(temporary.dir);
    const path = join(temporary.dir, ".intermezzo/rootfset/index.sqlite");
    const bytes = await readFile(path);
    bytes.fill(0x5a, 4096, 3 * 4096);
    await writeFile(path, bytes);
    const notices: string[] = [];
    await using exported = await openTestExport(temporary.dir, {
      onNotice: (notice) => notices.push(notice),
    });
    expect(notices).toEqual([expect.stringContaining("the index was damaged")]);
    expect(exported.headPosition.recno).toBe(head);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("names segment and offset of damage in the middle of the log [D6]", async () => {
    await using temporary = await temporaryDirectory();
    await fill(temporary.dir);
    await scanOnce(temporary.dir);
    const kml = join(temporary.dir, ".intermezzo/rootfset/kml");
    const [segment] = await readdir(kml);
    const path = join(kml, segment!);
    const bytes = await readFile(path);
    bytes[600] = bytes[600]! ^ 0xff;
    await writeFile(path, bytes);
    await expect(openTestExport(temporary.dir)).rejects.toMatchObject({
      code: "kml-damaged",
      data: { segment, offset: expect.any(Number) },
    });
  });

  it("refuses a second server on the same export", async () => {
    await using temporary = await temporaryDirectory();
    await using _ = await openTestExport(temporary.dir);
    await expect(openTestExport(temporary.dir)).rejects.toMatchObject({ code: "already-served" });
  });

  it.each([
    { description: "a directory that is missing", path: "missing" },
    { description: "a file", path: "empty" },
  ])("refuses $description", async ({ path }) => {
    await using temporary = await temporaryDirectory();
    await fill(temporary.dir);
    const opened = openTestExport(join(temporary.dir, path));
    await expect(opened).rejects.toMatchObject({ code: "export-unusable" });
  });

  it("refuses a directory in which nothing can be made, whatever the file system says", async () => {
    const opened = openTestExport("/proc");
    await expect(opened).rejects.toMatchObject({ code: "export-unusable" });
  });

  it("ends in the middle when nobody waits for it any more, and is gone on with", async () => {
    await using temporary = await temporaryDirectory();
    for (let index = 0; index < 2500; index += 1)
      await writeFile(join(temporary.dir, `${index}`), "");
    await mkdir(join(temporary.dir, "z"));
    for (let index = 0; index < 1500; index += 1)
      await writeFile(join(temporary.dir, "z", `${index}`), "");
    const interruption = new AbortController();
    const progress: number[] = [];
    const opened = openTestExport(temporary.dir, {
      signal: interruption.signal,
      onProgress: ({ files }) => {
        progress.push(files);
        interruption.abort(new Error("nobody waits"));
      },
    });
    await expect(opened).rejects.toThrow("nobody waits");
    expect(progress).toHaveLength(1);
    await using exported = await openTestExport(temporary.dir);
    expect(exported.status().files).toBe(4000);
  });

  it("goes on where an interrupted first scan stopped", async () => {
    await using temporary = await temporaryDirectory();
    for (let index = 0; index < 1500; index += 1)
      await writeFile(join(temporary.dir, `${index}`), `${index}`);
    for (const name of ["a", "b"]) {
      await mkdir(join(temporary.dir, name));
      await writeFile(join(temporary.dir, name, "f"), name);
    }
    let commits = 0;
    const opened = openTestExport(temporary.dir, {
      onProgress: () => {
        commits += 1;
        if (commits === 1) throw new Error("interrupted");
      },
    });
    await expect(opened).rejects.toThrow("interrupted");
    await using exported = await openTestExport(temporary.dir);
    expect(await verifyExport(temporary.dir)).toEqual([]);
    expect(exported.status().files).toBe(1502);
  });
});
