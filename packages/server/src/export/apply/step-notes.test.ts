import { hash } from "node:crypto";
import { appendFileSync, chmodSync, closeSync, constants, openSync, writeSync } from "node:fs";
import { link, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { NO_RECNO, ROOT_OID, type ClientOperation, type Name, type Recno } from "@izo/core";
import { fstatat, lsetxattr } from "@izo/sys";
import { describe, expect, it } from "vitest";

import { CommittedIndex } from "../../db/committed-index.ts";
import { noteOfStat } from "../../db/disk-notes.ts";
import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, TestPeer } from "../../testing/test-peer.ts";
import type { CrashLabel } from "../crash-point.ts";
import type { Export } from "../export.ts";
import { heldFd, openRoot } from "../tree/tree-directory.ts";
import { verifyExport } from "../verify-export.ts";

function objectAt(exported: Export, name: string) {
  return exported.lookUp(`/${name}`)!.object;
}

/** "a" comes to be "b", which has a further name. */
function moveOver(exported: Export): ClientOperation {
  const [moved, victim] = [objectAt(exported, "a"), objectAt(exported, "b")];
  const { entry } = exported
    .lookUp("/")!
    .children.find(({ object: child }) => child.oid === moved.oid)!;
  return {
    opcode: "RENAME",
    oid: moved.oid,
    contentBase: moved.contentVersion,
    fromParent: ROOT_OID,
    fromName: "a" as Name,
    fromPath: "/a",
    fromBase: entry.version,
    toParent: ROOT_OID,
    toName: "b" as Name,
    toPath: "/b",
    victim: { oid: victim.oid, contentBase: victim.contentVersion, isLastName: false },
    keepsOid: false,
    conflict: null,
  };
}

function replaceLinked(exported: Export): ClientOperation {
  const { oid, contentVersion } = objectAt(exported, "b");
  return closeFile(oid, "new", contentVersion, "/b");
}

function setTime(exported: Export): ClientOperation {
  const { oid, contentVersion: contentBase } = objectAt(exported, "b");
  const times = { contentBase, mtimeNs: 1_000_000_000n };
  return { opcode: "SETATTR", oid, path: "/b", attributes: null, times };
}

const CHANGES = [
  {
    description: "an extended attribute of what was moved",
    push: moveOver,
    during: "half-step",
    change: (dir: string) => lsetxattr(join(dir, "b"), "user.k", Buffer.from("v")),
    logged: (exported: Export) => [...objectAt(exported, "b").xattrs.keys()],
    expected: ["user.k"],
  },
  {
    description: "an extended attribute of what was put in",
    push: replaceLinked,
    during: "half-step",
    change: (dir: string) => lsetxattr(join(dir, "b"), "user.k", Buffer.from("v")),
    logged: (exported: Export) => [...objectAt(exported, "b").xattrs.keys()],
    expected: ["user.k"],
  },
  {
    description: "an extended attribute of what was put in before",
    push: replaceLinked,
    during: "tree-changed",
    change: (dir: string) => lsetxattr(join(dir, "b"), "user.k", Buffer.from("v")),
    logged: (exported: Export) => [...objectAt(exported, "b").xattrs.keys()],
    expected: ["user.k"],
  },
  {
    description: "the mode of what lost one of its names",
    push: moveOver,
    during: "half-step",
    change: (dir: string) => chmodSync(join(dir, "linked"), 0o701),
    logged: (exported: Export) => objectAt(exported, "linked").mode,
    expected: 0o701,
  },
  {
    description: "what is written to what was moved, each time that it is judged again",
    push: moveOver,
    during: "intents-written",
    change: (dir: string) => appendFileSync(join(dir, "a"), "more"),
    logged: (exported: Export) => objectAt(exported, "b").sizeBytes > "a".length + 3 * 4,
    expected: true,
  },
] as const satisfies readonly { during: CrashLabel; [key: string]: unknown }[];

describe("reintegrate()", () => {
  it("notes each inode that nobody else touches, so that no look hashes it", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    for (const name of ["a", "b"]) await writeFile(join(dir, name), name);
    await link(join(dir, "b"), join(dir, "linked"));
    await using exported = await openTestExport(dir, { gatherMs: 60_000 });
    const peer = new TestPeer(exported);
    for (const text of ["new", "made"]) await peer.stage(text);
    const made = createFile("made");
    const place = { oid: made.oid, path: "/made" };
    const base = { peer: peer.peer, recno: 2 as Recno };
    await peer.push(
      replaceLinked(exported),
      made,
      closeFile(made.oid, "made", base, "/made"),
      {
        ...place,
        opcode: "SETEXTATTR",
        attribute: "user.k",
        value: Buffer.from("v"),
        base: NO_RECNO,
      },
      {
        ...place,
        opcode: "SETATTR",
        attributes: { base, mode: 0o600, uid: process.getuid!(), gid: process.getgid!() },
        times: null,
      },
    );
    using index = new CommittedIndex(join(exported.stateDirectory, "index.sqlite"));
    using root = heldFd(openRoot(dir));
    for (const name of ["a", "b", "linked", "made"]) {
      const note = index.notes.get(objectAt(exported, name).oid);
      expect(note).toEqual(noteOfStat(fstatat(root.fd, name)));
    }
  });

  it("lets nobody open a file for writing between the comparison and the time that it sets [S3]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await writeFile(join(dir, "b"), "b");
    const failed: unknown[] = [];
    const write = (): void => {
      try {
        closeSync(openSync(join(dir, "b"), constants.O_WRONLY | constants.O_NONBLOCK));
      } catch (error) {
        failed.push((error as NodeJS.ErrnoException).code);
      }
    };
    await using exported = await openTestExport(dir, {
      gatherMs: 60_000,
      reach: (label) => label === "half-step" && write(),
    });
    const peer = new TestPeer(exported);
    const [result] = await peer.push(setTime(exported));
    expect(result!.verdict).toBe("applied");
    expect(failed).toEqual(["EAGAIN"]);
    write();
    expect(failed).toHaveLength(1);
  });

  it("notes no file that has a writer when its time is set, and logs as many other bytes [S3]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await writeFile(join(dir, "b"), "b");
    using writer = heldFd(openSync(join(dir, "b"), "r+"));
    await using exported = await openTestExport(dir, {
      gatherMs: 60_000,
      quietMs: 0,
      reach: (label) => label === "half-step" && writeSync(writer.fd, "B", 0),
    });
    const peer = new TestPeer(exported);
    const [result] = await peer.push(setTime(exported));
    expect(result!.verdict).toBe("applied");
    await exported.rescan();
    expect(objectAt(exported, "b").sha256).toBe(hash("sha256", "B"));
    expect(await verifyExport(dir)).toEqual([]);
  });

  it.each(CHANGES)(
    "notes no inode that a program changes during the step, and logs $description [S3]",
    async ({ push, during, change, logged, expected }) => {
      await using temporary = await temporaryDirectory();
      const { dir } = temporary;
      for (const name of ["a", "b"]) await writeFile(join(dir, name), name);
      await link(join(dir, "b"), join(dir, "linked"));
      await using exported = await openTestExport(dir, {
        gatherMs: 60_000,
        quietMs: 0,
        reach: (label) => label === during && change(dir),
      });
      const peer = new TestPeer(exported);
      await peer.stage("new");
      const [result] = await peer.push(push(exported));
      expect(result!.verdict).toBe("applied");
      await exported.rescan();
      expect(logged(exported)).toEqual(expected);
      expect(await verifyExport(dir)).toEqual([]);
    },
  );
});
