import { hash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  EMPTY_SHA256,
  NO_CHECK,
  parseName,
  ROOT_OID,
  rootObject,
  type ClientOperation,
  type Disk,
  type FilesetId,
  type Oid,
  type PeerId,
  type Recno,
  type ServerRecord,
  type Sha256,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";
import { afterEach, beforeEach, expect, test } from "vitest";

import { LocalReplica } from "./local-replica.ts";

const ACTOR = { uid: 1, gid: 1, groups: [], command: "test" };
const SERVER = "5e".repeat(16) as PeerId;

let cacheDir: string;

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "izo-replica-"));
});

afterEach(() => {
  rmSync(cacheDir, { recursive: true });
});

function open(dir = cacheDir, disk: Disk = nodeDisk): Promise<LocalReplica> {
  return LocalReplica.open({
    cacheDir: dir,
    disk,
    fileset: "f5".repeat(16) as FilesetId,
    nowNs: () => 1_700_000_000_000_000_000n,
    hash: (bytes) => hash("sha256", bytes, "buffer"),
    onSyncFailed: (error) => {
      throw error;
    },
  });
}

/** The real disk, which takes no more bytes while it is full. */
function fillableDisk(isFull: () => boolean): Disk {
  return {
    makeDirectory: (path) => nodeDisk.makeDirectory(path),
    list: (path) => nodeDisk.list(path),
    remove: (path) => nodeDisk.remove(path),
    syncDirectory: (path) => nodeDisk.syncDirectory(path),
    open(path, mode) {
      const file = nodeDisk.open(path, mode);
      const write = file.write.bind(file);
      file.write = (offset, bytes) => {
        if (isFull()) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
        write(offset, bytes);
      };
      return file;
    },
  };
}

const oidOf = (number: number): Oid => number.toString(16).padStart(32, "a") as Oid;

function creation(number: number): ClientOperation {
  return {
    opcode: "CREATE",
    oid: oidOf(number),
    parent: ROOT_OID,
    name: parseName(`f${number}`),
    path: `/f${number}`,
    mode: 0o644,
    uid: 1,
    gid: 1,
    mtimeNs: 0n,
    conflict: null,
  };
}

const serverRecord = (recno: number, operation: ClientOperation): ServerRecord => ({
  recno: recno as Recno,
  authorTimeNs: 0n,
  logTimeNs: 0n,
  origin: { peer: SERVER, recno: recno as Recno, check: NO_CHECK },
  actor: ACTOR,
  operation,
});

const place = (recno: number) => ({ recno: recno as Recno, hash: EMPTY_SHA256 });

const shown = (replica: LocalReplica): string[] =>
  [...replica.visible.children(ROOT_OID)].map(({ name }) => name).toSorted();

test("[C6] LocalReplica shows a prefix of what was recorded, wherever a power cut ends the own log", async () => {
  await using replica = await open();
  for (let number = 1; number <= 5; number += 1) replica.record(creation(number), ACTOR);
  const logDir = join("kml", replica.peer);
  const path = join(logDir, readdirSync(join(cacheDir, logDir))[0]!);
  const bytes = readFileSync(join(cacheDir, path));
  const counts = new Set<number>();
  for (let end = bytes.length; end > 128; end -= 37) {
    const copy = join(cacheDir, `cut-${end}`);
    mkdirSync(join(copy, logDir), { recursive: true });
    copyFileSync(join(cacheDir, "sysid"), join(copy, "sysid"));
    writeFileSync(join(copy, path), bytes.subarray(0, end));
    await using cut = await open(copy);
    const names = shown(cut);
    expect(names).toEqual(["f1", "f2", "f3", "f4", "f5"].slice(0, names.length));
    expect(cut.pendingCount).toBe(names.length);
    counts.add(names.length);
  }
  expect(counts).toEqual(new Set([0, 1, 2, 3, 4, 5]));
});

test("[C5] LocalReplica.applyRemote() moves tree and position together, or neither", async () => {
  {
    await using replica = await open();
    replica.applyRemote([serverRecord(1, creation(1))], place(1));
    const gap = [serverRecord(2, creation(2)), serverRecord(4, creation(4))];
    expect(() => replica.applyRemote(gap, place(4))).toThrow("Cannot replay record 4");
    expect(shown(replica)).toEqual(["f1"]);
    expect(replica.position.recno).toBe(1);
    replica.record(creation(9), ACTOR);
    replica.applyRemote([serverRecord(2, creation(2))], place(2));
  }
  await using again = await open();
  expect(shown(again)).toEqual(["f1", "f2", "f9"]);
  expect(again.position.recno).toBe(2);
});

test("[C8] LocalReplica sends the same records under the same numbers after a crash", async () => {
  let sent: unknown;
  {
    await using replica = await open();
    const created = replica.record(creation(1), ACTOR);
    const closed = replica.record(
      {
        opcode: "CLOSE",
        oid: oidOf(1),
        path: "/f1",
        contentBase: { peer: replica.peer, recno: created },
        sizeBytes: 0,
        mtimeNs: 0n,
        sha256: null,
        conflict: null,
      },
      ACTOR,
    );
    expect(replica.unsealed().map(({ recno }) => recno)).toEqual([closed]);
    const sha256 = "ab".repeat(32) as Sha256;
    replica.seal(closed, { sizeBytes: 7, mtimeNs: 5n, sha256 });
    expect(replica.unsealed()).toEqual([]);
    expect(replica.visible.object(oidOf(1))).toMatchObject({ sizeBytes: 7, sha256 });
    await replica.freeze(replica.pending.sendable(), () => {});
    sent = replica.toSend;
    expect(replica.toSend).toHaveLength(2);
    // The CLOSE builds on the CREATE under the number that the server will know.
    expect(replica.toSend[1]!.submitted.operation).toMatchObject({
      contentBase: { peer: replica.peer, recno: replica.toSend[0]!.submitted.origin.recno },
    });
  }
  await using again = await open();
  expect(again.toSend).toEqual(sent);
});

test("LocalReplica.applyRemote() acknowledges a record by its trace, for good", async () => {
  {
    await using replica = await open();
    replica.record(creation(1), ACTOR);
    await replica.freeze(replica.pending.sendable(), () => {});
    const { submitted } = replica.toSend[0]!;
    const trace = { ...serverRecord(1, creation(1)), origin: submitted.origin };
    const { changes, isDiverged } = replica.applyRemote([trace], place(1));
    expect(isDiverged).toBe(false);
    expect(changes).toEqual({ names: [], objects: [], moves: [] });
    expect(replica.pendingCount).toBe(0);
  }
  await using again = await open();
  expect(again.pendingCount).toBe(0);
  expect(again.received.recno).toBeGreaterThan(0);
});

test("[Y7] LocalReplica.adoptTree() shows what waits although the log has forgotten what it is about", async () => {
  const edit: ClientOperation = {
    opcode: "CLOSE",
    oid: oidOf(1),
    path: "/f1",
    contentBase: 1 as Recno,
    sizeBytes: 3,
    mtimeNs: 0n,
    sha256: hash("sha256", "new") as Sha256,
    conflict: null,
  };
  {
    await using replica = await open();
    const records = [1, 2].map((number) => serverRecord(number, creation(number)));
    replica.applyRemote(records, place(2));
  }
  {
    await using replica = await open();
    replica.record(edit, ACTOR);
    // Both files were removed since, and the log begins behind that.
    using database = replica.receiveTree();
    database.state.putObject(rootObject());
    database.complete();
    const start = {
      kind: "start",
      position: place(60),
      oldestRecno: 50 as Recno,
      received: { recno: 0 as Recno, check: NO_CHECK },
    } as const;
    replica.adoptTree({ database, start });
    expect(replica.position.recno).toBe(60);
    expect(shown(replica)).toEqual(["f1"]);
  }
  await using replica = await open();
  expect(shown(replica)).toEqual(["f1"]);
  expect(replica.visible.object(oidOf(1))).toMatchObject({ sizeBytes: 3 });
  expect(replica.authoritative.tombstone(oidOf(2))).toMatchObject({ name: "f2", removedAt: 49 });
  const truncated = {
    ...serverRecord(61, creation(3)),
    operation: { opcode: "TRUNCATED", oldestRecno: 60 as Recno } as const,
  };
  replica.applyRemote([truncated], place(61));
  expect(shown(replica)).toEqual(["f1"]);
});

test("[P2] LocalReplica.renewIdentity() keeps what waits, under a new id, also after a restart", async () => {
  let peer: PeerId;
  {
    await using replica = await open();
    const former = replica.peer;
    replica.record(creation(1), ACTOR);
    await replica.freeze(replica.pending.sendable(), () => {});
    replica.record(creation(2), ACTOR);
    await replica.renewIdentity();
    ({ peer } = replica);
    expect(peer).not.toBe(former);
    expect(replica.toSend).toEqual([]);
    expect(shown(replica)).toEqual(["f1", "f2"]);
    expect(readdirSync(join(cacheDir, "kml"))).toEqual([peer]);
  }
  await using again = await open();
  expect(again.peer).toBe(peer);
  expect(again.pending.unsent.map(({ recno }) => recno)).toEqual([1, 2]);
});

test("LocalReplica.cancel() takes a record back", async () => {
  await using replica = await open();
  replica.record(creation(1), ACTOR);
  const recno = replica.record(creation(2), ACTOR);
  replica.cancel(recno);
  expect(shown(replica)).toEqual(["f1"]);
  expect(replica.pendingCount).toBe(1);
});

test("a full disk takes no record, and what fails then is taken back all the same", async () => {
  let isFull = false;
  const disk = fillableDisk(() => isFull);
  {
    await using replica = await open(cacheDir, disk);
    const failed = replica.record(creation(1), ACTOR);
    isFull = true;
    expect(() => replica.record(creation(2), ACTOR)).toThrow("no space left");
    replica.cancel(failed);
    expect(replica.visible.object(oidOf(1))).toBeUndefined();
    expect(replica.pendingCount).toBe(0);
    // What reads the log back knows of it, too.
    expect(() => replica.applyRemote([serverRecord(9, creation(9))], replica.position)).toThrow(
      "Cannot replay record 9",
    );
    expect(replica.pendingCount).toBe(0);
    isFull = false;
    replica.record(creation(3), ACTOR);
    expect(replica.pendingCount).toBe(1);
  }
  await using again = await open();
  expect(again.pending.unsent.map(({ operation }) => operation)).toEqual([creation(3)]);
});

test("a cancellation that the disk refused is logged at the end at the latest", async () => {
  let isFull = false;
  const replica = await open(
    cacheDir,
    fillableDisk(() => isFull),
  );
  const failed = replica.record(creation(1), ACTOR);
  isFull = true;
  replica.cancel(failed);
  isFull = false;
  await replica[Symbol.asyncDispose]();
  await using again = await open();
  expect(again.pendingCount).toBe(0);
});
