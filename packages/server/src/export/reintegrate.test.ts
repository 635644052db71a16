import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  rmdir,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

import type { ClientOperation, Name, Oid, OriginId, Recno } from "@izo/core";
import { NO_RECNO, ROOT_OID } from "@izo/core";
import { llistxattr, lremovexattr, lsetxattr } from "@izo/sys";
import { describe, expect, it } from "vitest";

import { CommittedIndex } from "../db/committed-index.ts";
import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, newId, T, TestPeer } from "../testing/test-peer.ts";
import { ContentMissingError } from "./errors.ts";
import type { Export } from "./export.ts";
import { verifyExport } from "./verify-export.ts";

function oidAt(exported: Export, path: string): Oid {
  return exported.lookUp(path)!.object.oid;
}

function versionsAt(exported: Export, path: string) {
  const { object } = exported.lookUp(path)!;
  const parent = exported.lookUp(path.slice(0, path.lastIndexOf("/")) || "/")!;
  const { entry } = parent.children.find(({ object: child }) => child.oid === object.oid)!;
  return {
    oid: object.oid,
    content: object.contentVersion,
    attributes: object.attributesVersion,
    entry,
  };
}

function symlinkOf(oid: Oid): ClientOperation {
  const owner = { uid: process.getuid!(), gid: process.getgid!() };
  const place = { parent: ROOT_OID, name: "l" as Name, path: "/l", conflict: null };
  return { opcode: "SYMLINK", oid, ...place, ...owner, mode: 0o777, mtimeNs: T, target: "a.txt" };
}

describe("reintegrate()", () => {
  it("puts a pushed file into the tree with its content, times and mode [S1]", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    await peer.stage("hello");
    const create = createFile("a.txt");
    const base: OriginId = { peer: peer.peer, recno: 1 as Recno };
    const results = await peer.push(create, closeFile(create.oid, "hello", base));
    expect(results.map(({ verdict }) => verdict)).toEqual(["applied", "applied"]);
    const path = join(temporary.dir, "a.txt");
    expect(await readFile(path, "utf8")).toBe("hello");
    const found = await stat(path, { bigint: true });
    expect([found.mtimeNs, found.mode & 0o7777n]).toEqual([T, 0o640n]);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("takes two files with one content in one push", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    await peer.stage("the same");
    const one = createFile("one");
    const two = createFile("two");
    const results = await peer.push(
      one,
      closeFile(one.oid, "the same", { peer: peer.peer, recno: 1 as Recno }),
      two,
      closeFile(two.oid, "the same", { peer: peer.peer, recno: 3 as Recno }),
    );
    expect(results.map(({ verdict }) => verdict)).toEqual(Array(4).fill("applied"));
    for (const name of ["one", "two"]) {
      expect(await readFile(join(temporary.dir, name), "utf8")).toBe("the same");
      expect((await stat(join(temporary.dir, name))).nlink).toBe(1);
    }
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("answers a resent push from its traces and changes nothing [P1]", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const records = [peer.record(makeDirectory("d")), peer.record(createFile("f"))];
    const first = await peer.send(records);
    const head = exported.headPosition;
    expect(await peer.send(records)).toEqual(first);
    expect(exported.headPosition).toEqual(head);
  });

  it("names the contents that it lacks before it changes anything", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const head = exported.headPosition;
    const peer = new TestPeer(exported);
    const create = createFile("a");
    const base: OriginId = { peer: peer.peer, recno: 1 as Recno };
    const push = peer.push(create, closeFile(create.oid, "not here", base));
    await expect(push).rejects.toThrow(ContentMissingError);
    expect(exported.headPosition).toEqual(head);
  });

  it("moves, replaces, links and removes as the records say", async () => {
    await using temporary = await temporaryDirectory();
    await mkdir(join(temporary.dir, "old"));
    await writeFile(join(temporary.dir, "old/x"), "x");
    await writeFile(join(temporary.dir, "y"), "y");
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const old = versionsAt(exported, "/old");
    const y = versionsAt(exported, "/y");
    const x = versionsAt(exported, "/old/x");
    const rename = (
      from: typeof old,
      toParent: Oid,
      toName: string,
      victim: typeof old | null,
    ): ClientOperation => ({
      opcode: "RENAME",
      oid: from.oid,
      contentBase: from.content,
      fromParent: from.entry.parent,
      fromName: from.entry.name,
      fromPath: "/",
      fromBase: from.entry.version,
      toParent,
      toName: toName as Name,
      toPath: "/",
      victim: victim && { oid: victim.oid, contentBase: victim.content, isLastName: true },
      keepsOid: false,
      conflict: null,
    });
    const results = await peer.push(
      rename(old, ROOT_OID, "new", null),
      rename(x, ROOT_OID, "y", y),
      {
        opcode: "LINK",
        oid: x.oid,
        parent: old.oid,
        name: "hard" as Name,
        path: "/",
        conflict: null,
      },
      {
        opcode: "SETATTR",
        oid: x.oid,
        path: "/y",
        attributes: {
          base: x.attributes,
          mode: 0o600,
          uid: process.getuid!(),
          gid: process.getgid!(),
        },
        times: null,
      },
      {
        opcode: "SETEXTATTR",
        oid: x.oid,
        path: "/y",
        attribute: "user.colour",
        value: Buffer.from("red"),
        base: 0 as Recno,
      },
      {
        ...createFile("link"),
        opcode: "SYMLINK",
        target: "../../etc/passwd",
        mode: 0o777,
      } as ClientOperation,
    );
    expect(results.map(({ verdict }) => verdict)).toEqual(Array(6).fill("applied"));
    expect((await readdir(temporary.dir)).toSorted()).toEqual([".intermezzo", "link", "new", "y"]);
    expect(await readFile(join(temporary.dir, "new/hard"), "utf8")).toBe("x");
    // What was replaced is old content, and nothing that somebody else wrote: nobody watches it.
    const staging = join(temporary.dir, ".intermezzo/rootfset/staging/apply");
    expect(await readdir(staging)).toEqual([]);
    expect(await verifyExport(temporary.dir)).toEqual([]);

    const named = versionsAt(exported, "/y");
    await peer.push({
      opcode: "UNLINK",
      oid: named.oid,
      parent: ROOT_OID,
      name: "y" as Name,
      path: "/y",
      nameBase: exported.lookUp("/")!.children.find(({ entry }) => entry.name === "y")!.entry
        .version,
      contentBase: named.content,
      isLastName: false,
    });
    expect(await verifyExport(temporary.dir)).toEqual([]);
    expect(exported.lookUp("/y")).toBeNull();
  });

  it("knows a file that lost one of its names for the one that it was [S3]", async () => {
    await using temporary = await temporaryDirectory();
    await writeFile(join(temporary.dir, "one"), "1");
    await link(join(temporary.dir, "one"), join(temporary.dir, "two"));
    await using exported = await openTestExport(temporary.dir, { gatherMs: 60_000 });
    const peer = new TestPeer(exported);
    const { oid, content, entry } = versionsAt(exported, "/one");
    const place = { oid, parent: ROOT_OID, name: "one" as Name, path: "/one" };
    const bases = { nameBase: entry.version, contentBase: content, isLastName: false };
    await peer.push({ opcode: "UNLINK", ...place, ...bases });
    using index = new CommittedIndex(join(temporary.dir, ".intermezzo/rootfset/index.sqlite"));
    const left = await stat(join(temporary.dir, "two"), { bigint: true });
    // Otherwise whoever changes it next looks for a change that is not logged, and hashes it.
    expect(index.notes.get(oid)?.ctimeNs).toBe(left.ctimeNs);
    expect(left.nlink).toBe(1n);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("gives all names of a hard-linked file its new content", async () => {
    await using temporary = await temporaryDirectory();
    await writeFile(join(temporary.dir, "one"), "1");
    await link(join(temporary.dir, "one"), join(temporary.dir, "two"));
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const one = versionsAt(exported, "/one");
    await peer.stage("both");
    await peer.push(closeFile(one.oid, "both", one.content));
    expect(await readFile(join(temporary.dir, "one"), "utf8")).toBe("both");
    expect(await readFile(join(temporary.dir, "two"), "utf8")).toBe("both");
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("logs an unlogged local change first, and the client's content becomes a copy [S3] [K6]", async () => {
    await using temporary = await temporaryDirectory();
    const path = join(temporary.dir, "f.txt");
    await writeFile(path, "first");
    await using exported = await openTestExport(temporary.dir, { gatherMs: 60_000 });
    const peer = new TestPeer(exported);
    const { oid, content } = versionsAt(exported, "/f.txt");
    await peer.stage("theirs");
    await writeFile(path, "local and unlogged");
    const [result] = await peer.push(closeFile(oid, "theirs", content));
    expect(result!.verdict).toBe("copied");
    expect(await readFile(path, "utf8")).toBe("local and unlogged");
    const names = (await readdir(temporary.dir)).filter((name) => name.includes(".conflict-"));
    expect(names).toHaveLength(1);
    expect(await readFile(join(temporary.dir, names[0]!), "utf8")).toBe("theirs");
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("gives a file nothing of what it was to be before the batch was judged again [S3]", async () => {
    await using temporary = await temporaryDirectory();
    const path = join(temporary.dir, "f");
    await writeFile(path, "first");
    lsetxattr(path, "user.k", Buffer.from("v"));
    await using exported = await openTestExport(temporary.dir, { gatherMs: 60_000 });
    const peer = new TestPeer(exported);
    const { oid, content } = versionsAt(exported, "/f");
    await peer.stage("second");
    await peer.push(closeFile(oid, "second", content));
    await peer.stage("theirs");
    lremovexattr(path, "user.k");
    await peer.push(
      {
        opcode: "SETATTR",
        oid,
        path: "/f",
        attributes: null,
        times: { contentBase: 0 as Recno, mtimeNs: T },
      },
      {
        opcode: "SETEXTATTR",
        oid,
        path: "/f",
        attribute: "user.other",
        value: Buffer.from("w"),
        base: 0 as Recno,
      },
      closeFile(oid, "theirs", content),
    );
    const copy = (await readdir(temporary.dir)).find((name) => name.includes(".conflict-"))!;
    expect(llistxattr(join(temporary.dir, copy)).map(String)).toEqual(["user.other"]);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("logs the mode of a directory that was changed, before it moves it [S3]", async () => {
    await using temporary = await temporaryDirectory();
    await mkdir(join(temporary.dir, "d"));
    await using exported = await openTestExport(temporary.dir, { gatherMs: 60_000 });
    const { oid, entry, content } = versionsAt(exported, "/d");
    await chmod(join(temporary.dir, "d"), 0o701);
    const peer = new TestPeer(exported);
    const [result] = await peer.push({
      opcode: "RENAME",
      oid,
      contentBase: content,
      fromParent: ROOT_OID,
      fromName: "d" as Name,
      fromPath: "/d",
      fromBase: entry.version,
      toParent: ROOT_OID,
      toName: "e" as Name,
      toPath: "/e",
      victim: null,
      keepsOid: false,
      conflict: null,
    });
    expect(result!.verdict).toBe("applied");
    expect(exported.lookUp("/e")!.object.mode & 0o7777).toBe(0o701);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("refuses to remove a directory that has an unlogged file, and logs the file [S3]", async () => {
    await using temporary = await temporaryDirectory();
    await mkdir(join(temporary.dir, "d"));
    await using exported = await openTestExport(temporary.dir, { gatherMs: 60_000 });
    const { oid, entry } = versionsAt(exported, "/d");
    await writeFile(join(temporary.dir, "d/new"), "new");
    const peer = new TestPeer(exported);
    const [result] = await peer.push({
      opcode: "RMDIR",
      oid,
      parent: ROOT_OID,
      name: "d" as Name,
      path: "/d",
      nameBase: entry.version,
    });
    expect(result).toMatchObject({ verdict: "refused", reason: "not-empty" });
    expect(oidAt(exported, "/d/new")).toBeDefined();
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("refuses an extended attribute that the exported directory never gets", async () => {
    await using temporary = await temporaryDirectory();
    const [oid, linkOid] = [newId(), newId()];
    const attribute = { oid, path: "/a.txt", value: Uint8Array.of(1), base: NO_RECNO };
    // CAP_CHOWN, permitted: version 2 of linux/capability.h. No program runs from a symlink.
    const value = Buffer.from("0000000201" + "00".repeat(15), "hex");
    const ofLink = { ...attribute, oid: linkOid, path: "/l", value };
    {
      await using exported = await openTestExport(temporary.dir);
      const results = await new TestPeer(exported).push(
        createFile("a.txt", oid),
        { ...attribute, opcode: "SETEXTATTR", attribute: "trusted.note" },
        { ...attribute, opcode: "SETEXTATTR", attribute: "user.note" },
        symlinkOf(linkOid),
        { ...ofLink, opcode: "SETEXTATTR", attribute: "security.capability" },
      );
      expect(results.map(({ verdict, reason }) => reason ?? verdict)).toEqual([
        "applied",
        "not-storable",
        "applied",
        "applied",
        "not-storable",
      ]);
    }
    await using exported = await openTestExport(temporary.dir);
    const [...records] = exported.readLog(exported.positionAt(0 as Recno), {}).records();
    expect(records.map(({ operation }) => operation.opcode)).not.toContain("DELEXTATTR");
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("never lets a client name the server's own state [K7]", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const [result] = await peer.push(makeDirectory(".intermezzo"));
    expect(result!.verdict).toBe("refused");
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("follows no symlink that was put in a directory's place [S3]", async () => {
    await using temporary = await temporaryDirectory();
    await using outside = await temporaryDirectory();
    await mkdir(join(temporary.dir, "d"));
    await using exported = await openTestExport(temporary.dir, { gatherMs: 60_000 });
    const { oid } = versionsAt(exported, "/d");
    await rmdir(join(temporary.dir, "d"));
    await symlink(outside.dir, join(temporary.dir, "d"));
    const peer = new TestPeer(exported);
    const [result] = await peer.push(createFile("escaped", undefined, oid));
    expect(await readdir(outside.dir)).toEqual([]);
    expect(["applied", "copied", "refused"]).toContain(result!.verdict);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });
});
