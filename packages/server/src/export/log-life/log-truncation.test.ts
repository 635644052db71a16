import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  MemoryState,
  parseSnapshotResponse,
  replay,
  ROOT_OID,
  type ClientOperation,
  type Name,
  type Oid,
  type Position,
  type Recno,
  type SnapshotRow as WireRow,
  writeSnapshotResponse,
} from "@izo/core";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, newId, TestPeer } from "../../testing/test-peer.ts";
import type { CrashLabel } from "../crash-point.ts";
import { LogTruncatedError } from "../errors.ts";
import type { Export } from "../export.ts";
import { reindexExport } from "../reindex-export.ts";
import { verifyExport } from "../verify-export.ts";

const CRASHING_SERVER = fileURLToPath(
  new URL("../../testing/crash-truncation.ts", import.meta.url),
);
const STATE = ".intermezzo/rootfset";

/** Everything that may go, goes. */
const ALL = { olderThanMs: 0, isDryRun: false } as const;

/** Makes /keep, /gone (removed), /saved (saved over by a temporary file) and /d/inside. */
async function makeHistory(exported: Export): Promise<TestPeer> {
  const peer = new TestPeer(exported);
  const own = (recno: number) => ({ peer: peer.peer, recno: recno as Recno });
  const [keep, gone, saved, temporary] = ["keep", "gone", "saved", "temporary"].map((name) =>
    createFile(name),
  );
  const directory = makeDirectory("d");
  const inside = createFile("inside", undefined, directory.oid);
  await Promise.all(["kept", "removed", "saved twice"].map((text) => peer.stage(text)));
  await peer.push(
    keep!,
    closeFile(keep!.oid, "kept", own(1), "/keep"),
    gone!,
    closeFile(gone!.oid, "removed", own(3), "/gone"),
    saved!,
    temporary!,
    closeFile(temporary!.oid, "saved twice", own(6), "/temporary"),
    {
      opcode: "RENAME",
      oid: temporary!.oid,
      contentBase: own(7),
      fromParent: ROOT_OID,
      fromName: "temporary" as Name,
      fromPath: "/temporary",
      fromBase: own(6),
      toParent: ROOT_OID,
      toName: "saved" as Name,
      toPath: "/saved",
      victim: { oid: saved!.oid, contentBase: own(5), isLastName: true },
      keepsOid: true,
      conflict: null,
    },
    directory,
    inside,
    removal("gone", gone!.oid, own(3), own(4)),
  );
  return peer;
}

type Base = Extract<ClientOperation, { opcode: "UNLINK" }>["nameBase"];

function removal(name: string, oid: Oid, nameBase: Base, contentBase: Base): ClientOperation {
  return {
    opcode: "UNLINK",
    oid,
    parent: ROOT_OID,
    name: name as Name,
    path: `/${name}`,
    nameBase,
    contentBase,
    isLastName: true,
  };
}

/** A snapshot as a client receives it. */
async function receive(exported: Export, peer?: TestPeer): Promise<WireRow[]> {
  using snapshot = exported.snapshot(peer?.peer);
  const { position, oldestRecno, received: mark } = snapshot;
  const rows: WireRow[] = [
    { kind: "start", position, oldestRecno, received: mark },
    ...snapshot.rows(),
  ];
  rows.push({ kind: "end", rows: rows.length });
  const chunks = (async function* () {
    yield* writeSnapshotResponse(rows);
  })();
  const received: WireRow[] = [];
  for await (const row of parseSnapshotResponse(chunks)) received.push(row);
  return received;
}

/** Rows of the index that only records explain which are cut off. */
function countOutlived(dir: string, oldest: Recno): number {
  const index = new Database(join(dir, STATE, "index.sqlite"), { readonly: true });
  const count = (table: string, column: string) =>
    index
      .prepare<[Recno], number>(`SELECT count(*) FROM ${table} WHERE ${column} < ?`)
      .pluck()
      .get(oldest)!;
  const sum =
    count("objects", "to_recno") + count("entries", "to_recno") + count("tombstones", "removed_at");
  index.close();
  return sum;
}

const anchorsOf = (dir: string) => readdir(join(dir, STATE, "anchors"));

describe("LogTruncation.truncate()", () => {
  it("cuts whole segments, logs it, and leaves index and tree as they are [D6] [D7]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using exported = await openTestExport(dir);
    const peer = await makeHistory(exported);
    const start = exported.positionAt(0 as Recno);
    const before = exported.headPosition.recno;
    const cut = await exported.truncate(ALL);
    expect(cut).toMatchObject({ oldestRecno: before + 1, removedRecords: before, heldBy: null });
    expect(exported.oldestRecno).toBe(before + 1);
    const [record] = exported.readLog(exported.positionAt(before), {}).records();
    expect(record!.operation).toEqual({ opcode: "TRUNCATED", oldestRecno: before + 1 });
    expect(() => exported.readLog(start, {})).toThrow(LogTruncatedError);
    expect(countOutlived(dir, exported.oldestRecno)).toBe(0);
    expect(await verifyExport(dir)).toEqual([]);
    // The log goes on: what builds on a record that was cut off is judged as before.
    await peer.stage("edited");
    const { oid, contentVersion } = exported.lookUp("/keep")!.object;
    const [result] = await peer.push(closeFile(oid, "edited", contentVersion, "/keep"));
    expect(result).toMatchObject({ verdict: "applied" });
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("keeps what makes the same index again: tree, aliases, outcomes [D7]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    let expected: WireRow[];
    let peer: TestPeer;
    {
      await using exported = await openTestExport(dir);
      peer = await makeHistory(exported);
      await exported.truncate(ALL);
      await peer.push(createFile("later"));
      await exported.truncate(ALL);
      await peer.push(createFile("last"));
      expected = await receive(exported, peer);
    }
    expect(await anchorsOf(dir)).toHaveLength(1);
    await reindexExport({ dir });
    expect(await verifyExport(dir)).toEqual([]);
    await using exported = await openTestExport(dir);
    expect(shownRows(await receive(exported, peer))).toEqual(shownRows(expected));
  });

  it("starts on an index that a power cut took back to before the cut", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await (await openTestExport(dir))[Symbol.asyncDispose]();
    const old = await readFile(join(dir, STATE, "index.sqlite"));
    {
      await using exported = await openTestExport(dir);
      await makeHistory(exported);
      await exported.truncate(ALL);
    }
    await writeFile(join(dir, STATE, "index.sqlite"), old);
    const notices: string[] = [];
    await using exported = await openTestExport(dir, { onNotice: (text) => notices.push(text) });
    expect(notices).toHaveLength(1);
    expect(exported.lookUp("/keep")).not.toBeNull();
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("changes nothing in a dry run, and says what would go", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    await makeHistory(exported);
    const head = exported.headPosition;
    const planned = await exported.truncate({ ...ALL, isDryRun: true });
    expect(planned).toMatchObject({ oldestRecno: head.recno + 1, isDryRun: true });
    expect(planned.removedBytes).toBeGreaterThan(0);
    expect(exported.headPosition).toEqual(head);
    expect(exported.oldestRecno).toBe(1);
  });

  it("waits for a peer that was seen lately, until it is forgotten", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    await makeHistory(exported);
    const slow = newId();
    exported.notePeer(slow, "laptop", 1 as Recno);
    expect(await exported.truncate(ALL)).toMatchObject({ oldestRecno: 1, heldBy: slow });
    await exported.forgetPeer(slow);
    expect((await exported.truncate(ALL)).removedRecords).toBeGreaterThan(5);
    expect(exported.peers().find(({ peer }) => peer === slow)).toMatchObject({
      state: "forgotten",
      lagMs: null,
    });
  });

  it("cuts nothing behind a snapshot that is being sent", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const peer = await makeHistory(exported);
    const snapshot = exported.snapshot();
    await peer.push(createFile("later"));
    await exported.truncate(ALL);
    expect(exported.oldestRecno).toBeLessThanOrEqual(snapshot.position.recno + 1);
    expect(exported.readLog(snapshot.position, {}).count).toBeGreaterThan(0);
    snapshot[Symbol.dispose]();
    await exported.truncate(ALL);
    expect(exported.oldestRecno).toBeGreaterThan(snapshot.position.recno + 1);
  });

  it("runs by itself, by age, and leaves peers behind that were not seen for long", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    let nowMs = Date.now();
    await using exported = await openTestExport(dir, {
      segmentBytes: 1_000,
      truncateEveryMs: 10,
      logRetention: { keepMs: 60_000, keepBytes: 0, peerMs: 120_000 },
      nowNs: () => BigInt(nowMs) * 1_000_000n,
    });
    exported.notePeer(newId(), "laptop", 1 as Recno);
    await makeHistory(exported);
    nowMs += 100_000;
    const peer = new TestPeer(exported);
    await peer.push(createFile("new"));
    expect(exported.oldestRecno).toBe(1);
    nowMs += 100_000;
    await expect.poll(() => exported.oldestRecno, { timeout: 10_000 }).toBeGreaterThan(1);
    await expect.poll(() => countOutlived(dir, exported.oldestRecno)).toBe(0);
    expect(await verifyExport(dir)).toEqual([]);
  });
});

/** A reader that follows the log as a client does, and takes a snapshot where it was left behind. */
class Follower {
  readonly #exported: Export;
  state = new MemoryState();
  snapshots = 0;
  #position: Position;

  constructor(exported: Export) {
    this.#exported = exported;
    this.#position = exported.positionAt(0 as Recno);
  }

  /** Replays a few records. @returns false at the head */
  async follow(): Promise<boolean> {
    try {
      const chunk = this.#exported.readLog(this.#position, { limitRecords: 7 });
      for (const record of chunk.records()) replay(record, this.state, (record.recno - 1) as Recno);
      this.#position = chunk.last;
      return chunk.count > 0;
    } catch (error) {
      if (!(error instanceof LogTruncatedError)) throw error;
      this.snapshots += 1;
      this.state = new MemoryState();
      for (const row of await receive(this.#exported)) {
        if (row.kind === "start") this.#position = row.position;
        if (row.kind === "object") this.state.putObject(row.object);
        if (row.kind === "entry") this.state.putEntry(row.entry);
        if (row.kind === "alias") this.state.putAlias(row.alias, row.oid);
      }
      return true;
    }
  }
}

describe("readers and writers beside a log that is cut all the time", () => {
  it("have one tree in the end, whoever was left behind meanwhile [D6] [P1]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using exported = await openTestExport(dir, {
      segmentBytes: 2_000,
      truncateEveryMs: 5,
      logRetention: { keepMs: 0, keepBytes: 4_000 },
    });
    const [close, slow] = [new Follower(exported), new Follower(exported)];
    const peer = new TestPeer(exported);
    await peer.stage("content");
    const differences: unknown[] = [];
    for (let round = 0; round < 40; round += 1) {
      const made = createFile(`file-${round}`);
      const own = { peer: peer.peer, recno: peer.nextRecno };
      await peer.push(
        made,
        closeFile(made.oid, "content", own, `/file-${round}`),
        createFile(`gone-${round}`),
      );
      const { entry, object } = exported
        .lookUp("/")!
        .children.find((child) => child.entry.name === `gone-${round}`)!;
      await peer.push(removal(entry.name, object.oid, entry.version, object.contentVersion));
      while (await close.follow());
      if (round % 9 === 0) await slow.follow();
      if (round % 4 === 0) differences.push(...(await verifyExport(dir)));
    }
    await expect.poll(() => exported.oldestRecno, { timeout: 10_000 }).toBeGreaterThan(50);
    for (const follower of [close, slow]) {
      while (await follower.follow());
      const rows = (await receive(exported)).filter(({ kind }) => kind === "object");
      const objects = [...follower.state.objects()];
      const followed = objects.map((object): WireRow => ({ kind: "object", object }));
      expect(shownRows(followed)).toEqual(shownRows(rows));
    }
    expect(slow.snapshots).toBeGreaterThan(0);
    expect([...differences, ...(await verifyExport(dir))]).toEqual([]);
  });
});

const POINTS: CrashLabel[] = [
  "anchor-written",
  "truncation-logged",
  "segments-removed",
  "history-pruned",
];

describe("a server killed while it cuts its log", () => {
  it.each(POINTS)(
    "has all of its tree, and can make its index anew: killed at %s",
    async (label) => {
      await using temporary = await temporaryDirectory();
      const { dir } = temporary;
      let expected: WireRow[];
      {
        await using exported = await openTestExport(dir);
        await makeHistory(exported);
        expected = await receive(exported);
      }
      const child = spawn(
        process.execPath,
        ["--conditions=izo:source", CRASHING_SERVER, dir, label],
        { stdio: ["ignore", "inherit", "inherit"], timeout: 20_000 },
      );
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      expect([code, signal]).toEqual([null, "SIGKILL"]);
      await reindexExport({ dir });
      expect(await verifyExport(dir)).toEqual([]);

      await using exported = await openTestExport(dir);
      expect(await verifyExport(dir)).toEqual([]);
      expect(shownTree(await receive(exported))).toEqual(shownTree(expected));
      await exported.truncate(ALL);
      expect(await anchorsOf(dir)).toHaveLength(1);
      expect(await verifyExport(dir)).toEqual([]);
    },
  );
});

describe("a record of a peer that was away while the log was cut", () => {
  it("finds that what it names was removed, and keeps every content [S1]", async () => {
    await using temporary = await temporaryDirectory();
    const { dir } = temporary;
    await using exported = await openTestExport(dir);
    const peer = await makeHistory(exported);
    const [gone, inside] = [newId(), newId()];
    const directory = makeDirectory("old");
    const file = createFile("edited", gone);
    await peer.push(directory, file, createFile("inside", inside, directory.oid));
    const at = (path: string) => exported.lookUp(path)!;
    const versions = {
      file: at("/edited").object.contentVersion,
      inside: at("/old/inside").object.contentVersion,
    };
    const entry = (path: string, parent: string) =>
      at(parent).children.find(({ object }) => object.oid === at(path).object.oid)!.entry;
    const names = {
      file: entry("/edited", "/").version,
      inside: entry("/old/inside", "/old").version,
      directory: entry("/old", "/").version,
    };
    const away = new TestPeer(exported);
    await peer.push(
      removal("edited", gone, names.file, versions.file),
      {
        ...removal("inside", inside, names.inside, versions.inside),
        parent: directory.oid,
      } as ClientOperation,
      {
        opcode: "RMDIR",
        oid: directory.oid,
        parent: ROOT_OID,
        name: "old" as Name,
        path: "/old",
        nameBase: names.directory,
      },
    );
    await exported.truncate(ALL);
    await Promise.all(["edited away", "made away"].map((text) => away.stage(text)));
    const made = createFile("made", undefined, directory.oid);
    const results = await away.push(
      closeFile(gone, "edited away", versions.file, "/edited"),
      {
        ...removal("inside", inside, names.inside, versions.inside),
        parent: directory.oid,
      } as ClientOperation,
      made,
      closeFile(made.oid, "made away", { peer: away.peer, recno: 3 as Recno }, "/old/made"),
      {
        opcode: "SETATTR",
        oid: inside,
        path: "/old/inside",
        attributes: { base: versions.inside, mode: 0o600, uid: 0, gid: 0 },
        times: null,
      },
    );
    expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ["copied", null],
      ["merged", "already-removed"],
      ["refused", "unknown-object"],
      ["copied", null],
      ["refused", "object-removed"],
    ]);
    const contents = await Promise.all(
      at("/")
        .children.filter(({ entry: { name } }) => name.includes(".conflict-"))
        .map(({ entry: { name } }) => readFile(join(dir, name), "utf8")),
    );
    expect(contents.toSorted()).toEqual(["edited away", "made away"]);
    expect(await verifyExport(dir)).toEqual([]);
  });
});

function shown(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Map) return [...(value as Map<string, unknown>)];
  return value;
}

/** Texts that are equal for equal rows, in whatever order they came. */
function shownRows(rows: readonly WireRow[]): string[] {
  return rows.map((row) => JSON.stringify(row, (_key, value: unknown) => shown(value))).toSorted();
}

function shownTree(rows: readonly WireRow[]): string[] {
  const tree = new Set(["object", "entry", "alias"]);
  return shownRows(rows.filter(({ kind }) => tree.has(kind)));
}

it("a snapshot holds aliases and tombstones in the order that clients expect", async () => {
  await using temporary = await temporaryDirectory();
  await using exported = await openTestExport(temporary.dir);
  const rows = await receive(exported, await makeHistory(exported));
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  expect(kinds).toEqual(["start", "object", "entry", "alias", "tombstone", "outcome", "end"]);
  expect(rows.find(({ kind }) => kind === "tombstone")).toMatchObject({
    tombstone: { name: "gone" },
  });
});
