import {
  MemoryState,
  NO_RECNO,
  putSnapshotRow,
  replay,
  startPosition,
  type ClientOperation,
  type Name,
  type Oid,
  type Recno,
  type StateReader,
  type TreeObject,
} from "@izo/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, newId, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";

const ROOT = "00000000000000000000000000000001" as Oid;

let exported: Export;
let cleanup: AsyncDisposable;
/** The object of /d/b at the end, which began as /a and was saved over by way of /d/tmp. */
let saved: Oid;
let temporary: Oid;
/** Had the name /a after it. */
let second: Oid;

const head = (): Recno => exported.headPosition.recno;

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  const { dir } = stack.use(await temporaryDirectory());
  exported = stack.use(await openTestExport(dir));
  const peer = new TestPeer(exported);
  const push = async (...operations: ClientOperation[]): Promise<void> => {
    for (const { verdict } of await peer.push(...operations)) expect(verdict).toBe("applied");
  };
  await peer.stage("one");
  await peer.stage("two");
  const a = createFile("a");
  const d = makeDirectory("d");
  saved = a.oid;
  await push(a, d);
  await push(closeFile(a.oid, "one", versionOf(a.oid), "/a"));
  await push(rename(a.oid, ROOT, "a", d.oid, "b"));
  await push({
    opcode: "LINK",
    oid: a.oid,
    parent: ROOT,
    name: "link" as Name,
    path: "/link",
    conflict: null,
  });
  const again = createFile("a");
  second = again.oid;
  await push(again);
  await push({
    opcode: "SETEXTATTR",
    oid: again.oid,
    path: "/a",
    attribute: "user.x",
    value: Buffer.from("y"),
    base: NO_RECNO,
  });
  await push(unlink(again.oid, ROOT, "a", true));
  await push(unlink(a.oid, ROOT, "link", false));
  const tmp = createFile("tmp", newId(), d.oid);
  temporary = tmp.oid;
  await push(tmp);
  await push(closeFile(tmp.oid, "two", versionOf(tmp.oid), "/d/tmp"));
  const victim = { oid: a.oid, contentBase: versionOf(a.oid), isLastName: true };
  await push({ ...rename(tmp.oid, d.oid, "tmp", d.oid, "b"), victim, keepsOid: true });
  cleanup = stack.move();
});
afterAll(() => cleanup[Symbol.asyncDispose]());

/** The present content version, as the log says. */
function versionOf(oid: Oid): Recno {
  return replayed(head()).object(oid)!.contentVersion as Recno;
}

function entryVersion(parent: Oid, name: string): Recno {
  return replayed(head()).entry(parent, name as Name)!.version as Recno;
}

function rename(oid: Oid, fromParent: Oid, fromName: string, toParent: Oid, toName: string) {
  return {
    opcode: "RENAME",
    oid,
    contentBase: versionOf(oid),
    fromParent,
    fromName: fromName as Name,
    fromPath: "/",
    fromBase: entryVersion(fromParent, fromName),
    toParent,
    toName: toName as Name,
    toPath: "/",
    victim: null,
    keepsOid: false,
    conflict: null,
  } as const;
}

function unlink(oid: Oid, parent: Oid, name: string, isLastName: boolean): ClientOperation {
  const nameBase = entryVersion(parent, name);
  return {
    opcode: "UNLINK",
    oid,
    parent,
    name: name as Name,
    path: "/",
    nameBase,
    contentBase: versionOf(oid),
    isLastName,
  };
}

/** The tree behind a record, by the log alone. */
function replayed(at: Recno): MemoryState {
  const state = new MemoryState();
  const chunk = exported.readLog(startPosition(exported.filesetId), { limitRecords: at });
  let last = NO_RECNO;
  for (const record of chunk.records()) if (record.recno <= at) last = replay(record, state, last);
  return state;
}

function loaded(at: Recno, against?: Recno): MemoryState {
  const state = new MemoryState();
  using tree = exported.history.tree(at, against);
  for (const row of tree.rows()) if (row.kind !== "outcome") putSnapshotRow(row, state, at);
  return state;
}

function shape(state: StateReader & { objects(): Iterable<TreeObject> }): unknown {
  const objects = [...state.objects()].toSorted((a, b) => (a.oid < b.oid ? -1 : 1));
  return objects.map((object) => ({
    object,
    links: state.links(object.oid).toSorted((a, b) => (a.version as Recno) - (b.version as Recno)),
  }));
}

const opcodes = (about: { oid: Oid } | { path: string }, after = NO_RECNO, limit = 100) =>
  exported.history
    .records({ about, after, limit })
    .records.map(({ operation }) => operation.opcode);

describe("LiveHistory.tree()", () => {
  it("is behind every record what replaying the log up to it gives [D7]", () => {
    for (let at = NO_RECNO; at <= head(); at = (at + 1) as Recno) {
      expect(shape(loaded(at)), `at ${at}`).toEqual(shape(replayed(at)));
    }
  });

  it("against another has of each object that differs what both trees say, and its directories", () => {
    for (let at = NO_RECNO; at <= head(); at = (at + 1) as Recno) {
      const [before, now] = [replayed(at), replayed(head())];
      const [one, other] = [loaded(at, head()), loaded(head(), at)];
      for (const [partial, whole] of [
        [one, before],
        [other, now],
      ] as const) {
        for (const object of partial.objects()) {
          expect(object).toEqual(whole.object(object.oid));
          expect(partial.links(object.oid)).toEqual(whole.links(object.oid));
          for (const { parent } of partial.links(object.oid))
            expect(partial.object(parent)).toBeDefined();
        }
      }
      for (const object of before.objects()) {
        if (one.object(object.oid) !== undefined) continue;
        expect(object).toEqual(now.object(object.oid));
        expect(before.links(object.oid)).toEqual(now.links(object.oid));
      }
      for (const { oid } of now.objects()) {
        expect(other.object(oid) ?? before.object(oid)).toBeDefined();
      }
    }
  });
});

describe("LiveHistory.records()", () => {
  it("follows an object across moves, links and an atomic save to its creation", () => {
    const all = ["CREATE", "CLOSE", "RENAME", "LINK", "UNLINK", "CREATE", "CLOSE", "RENAME"];
    expect(opcodes({ oid: saved })).toEqual(all);
    expect(opcodes({ oid: temporary }), "under the other id of the save").toEqual(all);
    expect(opcodes({ path: "/d/b" }), "by the path at the end").toEqual(all);
  });

  it("tells of all that ever had a path, what was removed among it", () => {
    const { holders, records } = exported.history.records({
      about: { path: "/a" },
      after: NO_RECNO,
      limit: 100,
    });
    expect(holders.map(({ oid }) => oid)).toEqual([saved, second]);
    expect(holders.every(({ from, to }) => to !== null && to > from)).toBe(true);
    expect(
      records
        .filter(({ operation }) => "oid" in operation && operation.oid === second)
        .map(({ operation }) => operation.opcode),
    ).toEqual(["CREATE", "SETEXTATTR", "UNLINK"]);
    expect(
      exported.history.records({ about: { path: "/a/b" }, after: NO_RECNO, limit: 100 }),
    ).toEqual({ holders: [], records: [], next: null });
  });

  it("comes in pages, none of which is lost or repeated", () => {
    const found: number[] = [];
    let after: Recno | null = NO_RECNO;
    while (after !== null) {
      const page = exported.history.records({ about: { oid: saved }, after, limit: 3 });
      found.push(...page.records.map(({ recno }) => recno));
      after = page.next;
    }
    const whole = exported.history.records({ about: { oid: saved }, after: NO_RECNO, limit: 100 });
    expect(found).toEqual(whole.records.map(({ recno }) => recno));
  });
});

describe("LiveHistory.blame()", () => {
  it("names for each entry the last record that changed it or its name", () => {
    const { history } = exported;
    const now = history.blame("/d", head());
    expect(now).toMatchObject([
      {
        name: "b",
        oid: saved,
        kind: "file",
        record: { operation: { opcode: "RENAME", keepsOid: true } },
      },
    ]);
    const renamed = history.records({ about: { oid: saved }, after: NO_RECNO, limit: 3 })
      .records[2]!;
    expect(history.blame("/d", renamed.recno)).toMatchObject([{ name: "b", recno: renamed.recno }]);
    expect(history.blame("/d/b", head())).toBeNull();
    expect(history.blame("/none", head())).toBeNull();
  });
});

describe("LiveHistory.recnoOf()", () => {
  it("takes the last record of a log time [D4]", () => {
    const { history } = exported;
    for (let at = 1 as Recno; at <= head(); at = (at + 1) as Recno) {
      const { logTimeNs: timeNs } = history.record(at)!;
      const found = history.recnoOf({ kind: "time", timeNs });
      expect(found).toBeGreaterThanOrEqual(at);
      expect(history.record(found)!.logTimeNs).toBe(timeNs);
      const next = history.record((found + 1) as Recno)?.logTimeNs ?? timeNs + 1n;
      expect(next > timeNs).toBe(true);
    }
    expect(history.recnoOf({ kind: "time", timeNs: 0n }), "before the first record").toBe(0);
    expect(history.recnoOf({ kind: "time", timeNs: 1n << 62n }), "after the last").toBe(head());
  });
});
