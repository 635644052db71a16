import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  MemoryState,
  ROOT_OID,
  rootObject,
  type Entry,
  type MutableState,
  type Name,
  type Oid,
  type Outcome,
  type PeerId,
  type Recno,
  type StateReader,
  type TreeObject,
} from "@izo/core";
import { arbitraryName, arbitraryPeerId, arbitraryRecno, arbitrarySha256 } from "@izo/core/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openIndex, type ClientIndex } from "./open-index.ts";
import { SqlState } from "./sql-state.ts";

let dir: string;
let index: ClientIndex;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "izo-index-"));
  index = openIndex(join(dir, "index.sqlite"));
});

afterEach(() => {
  index.sqlite.close();
  rmSync(dir, { recursive: true });
});

const OIDS = [ROOT_OID, ...["a1", "b2", "c3", "d4"].map((byte) => byte.repeat(16) as Oid)];
const PEER = "99".repeat(16) as PeerId;
const NAMES = ["a", "\u{1f600}", "\udcff\udc80"] as Name[];
const TABLES = ["objects", "entries", "tombstones", "aliases", "outcomes"];

const oid = fc.constantFrom(...OIDS);
const name = fc.oneof(fc.constantFrom(...NAMES), arbitraryName);
const u32 = fc.nat({ max: 0xffff_ffff });
const timeNs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

const object: fc.Arbitrary<TreeObject> = fc.record({
  oid,
  kind: fc.constantFrom("file", "directory", "symlink", "special"),
  creator: arbitraryPeerId,
  mode: u32,
  uid: u32,
  gid: u32,
  attributesVersion: arbitraryRecno,
  sizeBytes: fc.maxSafeNat(),
  mtimeNs: timeNs,
  sha256: fc.option(arbitrarySha256),
  contentVersion: arbitraryRecno,
  target: arbitraryName,
  rdev: u32,
  xattrs: fc
    .array(
      fc.tuple(arbitraryName, fc.record({ value: fc.uint8Array(), version: arbitraryRecno })),
      { maxLength: 3 },
    )
    .map((attributes) => new Map(attributes)),
  conflict: fc.option(
    fc.record({
      of: oid,
      base: arbitraryRecno,
      ours: fc.option(arbitrarySha256),
      theirs: fc.option(arbitrarySha256),
    }),
  ),
});

const entry: fc.Arbitrary<Entry> = fc.record({ parent: oid, name, oid, version: arbitraryRecno });

const outcome: fc.Arbitrary<Outcome> = fc.record({
  verdict: fc.constantFrom("applied", "merged", "copied", "refused"),
  reason: fc.constantFrom(null, "same-content", "cycle"),
  trace: arbitraryRecno,
  check: fc.constant("0123456789abcdef"),
  oid,
  nameVersion: arbitraryRecno,
  contentVersion: arbitraryRecno,
  attributesVersion: arbitraryRecno,
});

type Change = (state: MutableState) => void;
const AT = 1 as Recno;

const change: fc.Arbitrary<Change> = fc.oneof(
  object.map(
    (value): Change =>
      (state) =>
        state.putObject(value, AT),
  ),
  // Nothing ever removes the root.
  fc.constantFrom(...OIDS.slice(1)).map(
    (value): Change =>
      (state) =>
        state.removeObject(value, AT),
  ),
  entry.map(
    (value): Change =>
      (state) =>
        state.putEntry(value, AT),
  ),
  entry.map(
    (value): Change =>
      (state) =>
        state.removeEntry(value.parent, value.name, AT),
  ),
  fc.record({ object, parent: oid, name, removedAt: arbitraryRecno }).map(
    (value): Change =>
      (state) =>
        state.putTombstone(value),
  ),
  oid.map(
    (value): Change =>
      (state) =>
        state.removeTombstone(value),
  ),
  fc.tuple(oid, oid).map(
    ([a, b]): Change =>
      (state) =>
        state.putAlias(a, b, AT),
  ),
  fc.tuple(fc.integer({ min: 1, max: 3 }), outcome).map(
    ([recno, value]): Change =>
      (state) =>
        state.putOutcome({ peer: PEER, recno: recno as Recno }, value),
  ),
);

function sorted(entries: Iterable<Entry>): Entry[] {
  return [...entries].toSorted((a, b) => (a.parent + a.name < b.parent + b.name ? -1 : 1));
}

/** All that can be asked of a state about the ids that the changes use. */
function look(state: StateReader): unknown {
  return {
    objects: OIDS.map((id) => state.object(id)),
    children: OIDS.map((id) => sorted(state.children(id))),
    hasChildren: OIDS.map((id) => state.hasChildren(id)),
    entries: OIDS.map((id) => NAMES.map((each) => state.entry(id, each))),
    links: OIDS.map((id) => sorted(state.links(id))),
    tombstones: OIDS.map((id) => state.tombstone(id)),
    aliases: OIDS.map((id) => state.alias(id)),
    outcomes: [1, 2, 3].map((recno) => state.outcome({ peer: PEER, recno: recno as Recno })),
  };
}

function emptyState(cached?: number): SqlState {
  for (const table of TABLES) index.sqlite.exec(`DELETE FROM ${table}`);
  return new SqlState(index.sqlite, PEER, cached);
}

describe("SqlState", () => {
  test("gives back what MemoryState gives, from memory and from the file", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const memory = new MemoryState();
        const sql = emptyState();
        for (const apply of changes) {
          apply(memory);
          apply(sql);
        }
        expect(look(sql)).toEqual(look(memory));
        expect(look(new SqlState(index.sqlite, PEER))).toEqual(look(memory));
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    { description: "everything fits", cached: undefined },
    { description: "hardly anything fits", cached: 2 },
  ])("noteEmpty() changes no answer, also for one who inherits, where $description", (size) => {
    const changes = fc.array(change, { maxLength: 30 });
    fc.assert(
      fc.property(changes, changes, (some, more) => {
        const memory = new MemoryState();
        const first = emptyState(size.cached);
        first.noteEmpty();
        for (const apply of some) for (const state of [memory, first]) apply(state);
        expect(look(first)).toEqual(look(memory));
        expect([...first.files()].map(({ oid: id }) => id).toSorted()).toEqual(
          OIDS.filter((id) => (memory.object(id)?.sha256 ?? null) !== null).toSorted(),
        );
        const heir = new SqlState(index.sqlite, PEER, size.cached);
        heir.inherit(first);
        for (const apply of more) for (const state of [memory, heir]) apply(state);
        expect(look(heir)).toEqual(look(memory));
      }),
      { numRuns: 100 },
    );
  });

  test("noteEmpty() spares asking the tables for what was there before", () => {
    const sql = emptyState();
    sql.noteEmpty();
    index.sqlite.exec("INSERT INTO entries VALUES (x'01', x'02', x'03', 1)");
    expect(sql.links("03" as Oid)).toEqual([]);
    expect(sql.entry("01" as Oid, "\u0002" as Name)).toBeUndefined();
    sql.forget();
    expect(sql.links("03" as Oid)).toHaveLength(1);
  });

  test("takes all of a transaction back when it throws, also what it keeps in memory", () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 10 }),
        fc.array(change, { minLength: 1, maxLength: 10 }),
        (before, changes) => {
          const sql = emptyState();
          for (const apply of before) apply(sql);
          const expected = look(sql);
          const failing = (): void => {
            for (const apply of changes) apply(sql);
            throw new Error("full");
          };
          expect(() => sql.transact(failing)).toThrow("full");
          expect(look(sql)).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("noteNew() spares looking for what cannot be there, until something is", () => {
    const sql = emptyState();
    const parent = "ab".repeat(16) as Oid;
    const made = { parent, name: "n" as Name, oid: "cd".repeat(16) as Oid, version: 1 as Recno };
    sql.noteNew(parent);
    expect(sql.object(parent)).toBeUndefined();
    expect(sql.entry(parent, made.name)).toBeUndefined();
    expect(sql.hasChildren(parent)).toBe(false);
    sql.putEntry(made);
    expect(sql.entry(parent, made.name)).toEqual(made);
    expect(sql.hasChildren(parent)).toBe(true);
    expect([...sql.children(parent)]).toEqual([made]);
    // The tables were changed in another way.
    sql.noteNew(parent);
    sql.forget();
    expect(sql.entry(parent, made.name)).toEqual(made);
  });

  test("noteNew() hides nothing that is put of an object afterwards, whatever comes first", () => {
    const place = { parent: ROOT_OID, name: "n" as Name };
    const sql = emptyState();
    const [, a, b, c, d] = OIDS;
    for (const id of [a!, b!, c!, d!]) {
      sql.noteNew(id);
      expect(sql.object(id)).toBeUndefined();
      expect(sql.links(id)).toEqual([]);
      expect([...sql.children(id)]).toEqual([]);
      expect(sql.alias(id)).toBeUndefined();
      expect(sql.tombstone(id)).toBeUndefined();
    }
    const file = { ...rootObject(), oid: a!, kind: "file" as const };
    sql.putObject(file);
    const named = { ...place, oid: b!, version: 1 as Recno };
    sql.putEntry(named);
    sql.putAlias(c!, a!);
    const removed = { object: { ...file, oid: d! }, ...place, removedAt: 1 as Recno };
    sql.putTombstone(removed);
    expect(sql.object(a!)).toEqual(file);
    expect(sql.links(b!)).toEqual([named]);
    expect(sql.alias(c!)).toBe(a!);
    expect(sql.tombstone(d!)).toEqual(removed);
  });

  test("outcome() finds what was put after it had found nothing", () => {
    const sql = emptyState();
    const [before, put, after] = [2, 3, 4].map((recno) => ({ peer: PEER, recno: recno as Recno }));
    const [value] = fc.sample(outcome, 1);
    expect(sql.outcome(put!)).toBeUndefined();
    sql.putOutcome(put!, value!);
    expect(sql.outcome(put!)).toEqual(value);
    expect(sql.outcome(after!)).toBeUndefined();
    expect(sql.outcome(before!)).toBeUndefined();
  });

  test("keeps the outcomes of its own peer only", () => {
    const sql = emptyState();
    const other = { peer: "11".repeat(16) as PeerId, recno: 1 as Recno };
    const [value] = fc.sample(outcome, 1);
    sql.putOutcome(other, value!);
    expect(sql.outcome(other)).toBeUndefined();
  });
});

describe("openIndex()", () => {
  test("[D7] puts a damaged file aside and starts an empty one", () => {
    const path = join(dir, "damaged.sqlite");
    writeFileSync(path, "this is no database, and long enough to be looked at as one".repeat(40));
    const opened = openIndex(path);
    expect(opened.setAside).toBe(`${path}.damaged`);
    expect(new SqlState(opened.sqlite, PEER).object(ROOT_OID)?.kind).toBe("directory");
    opened.sqlite.close();
  });
});
