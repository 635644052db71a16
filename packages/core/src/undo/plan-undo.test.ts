import { describe, expect, it } from "vitest";

import {
  EMPTY_SHA256,
  type Oid,
  type PeerId,
  type Recno,
  ROOT_OID,
  type Sha256,
} from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ServerRecord } from "../kml/record.ts";
import { creationOf } from "../replay/creation.ts";
import type { StateReader } from "../replay/state.ts";
import { placesOf } from "../testing/simulation/places.ts";
import { Random } from "../testing/simulation/random.ts";
import { JudgedLog } from "../testing/undo/judged-log.ts";
import { randomChange } from "../testing/undo/random-change.ts";
import { planUndo } from "./plan-undo.ts";
import type { UndoPlan } from "./undo-plan.ts";

const ANN = "aa".repeat(16) as PeerId;
const BOB = "bb".repeat(16) as PeerId;
const UNDOER = "dd".repeat(16) as PeerId;

/** Random histories begin with this seed; `IZO_UNDO_HISTORIES` says how many there are. */
const FIRST_SEED = Number(process.env["IZO_UNDO_SEED"] ?? 1);
const HISTORIES = Number(process.env["IZO_UNDO_HISTORIES"] ?? 400);

const seeds = Array.from({ length: HISTORIES }, (_, index) => FIRST_SEED + index);

function change(log: JudgedLog, peers: readonly PeerId[], count: number, random: Random): void {
  for (let done = 0; done < count;) {
    const peer = random.pick(peers);
    const operation = randomChange(log.state, peer, random);
    if (operation === null) continue;
    expect(log.submit(peer, operation).verdict).toBe("applied");
    done += 1;
  }
}

const ALL = (): boolean => true;
const isKept = (sha256: Sha256): boolean => sha256 < "8";

function plan(
  log: JudgedLog,
  after: Recno,
  selected: ReadonlySet<Recno>,
  peer = UNDOER,
  hasContent: (sha256: Sha256) => boolean = ALL,
): UndoPlan {
  let renewed = 0;
  return planUndo({
    before: log.at(after),
    records: log.records.slice(after),
    selected,
    hasContent,
    peer,
    newOid: () => `e${String((renewed += 1)).padStart(31, "0")}` as Oid,
  });
}

/** The records behind one that are to be undone. */
function select(
  log: JudgedLog,
  after: Recno,
  isSelected: (record: ServerRecord) => boolean,
): Set<Recno> {
  return new Set(
    log.records
      .slice(after)
      .filter(isSelected)
      .map(({ recno }) => recno),
  );
}

const byAnn = ({ origin }: ServerRecord): boolean => origin.peer === ANN;

/** A line for each name: all that programs see, and which names are one object. */
function looks(state: StateReader): string[] {
  const paths = new Map<Oid, string>();
  const first = new Map<Oid, string>();
  return placesOf(state).map(({ entry, object }) => {
    const path = `${paths.get(entry.parent) ?? ""}/${entry.name}`;
    if (object.kind === "directory") paths.set(object.oid, path);
    if (!first.has(object.oid)) first.set(object.oid, path);
    const { kind, mode, uid, gid, sizeBytes, mtimeNs, sha256, target } = object;
    const xattrs = [...object.xattrs]
      .map(([name, { value }]) => `${name}=${value.join()}`)
      .toSorted();
    return [
      path,
      first.get(object.oid),
      kind,
      mode,
      uid,
      gid,
      sizeBytes,
      mtimeNs,
      sha256,
      target,
      ...xattrs,
    ].join(" ");
  });
}

function oids(state: StateReader): Set<Oid> {
  return new Set(placesOf(state).map(({ object }) => object.oid));
}

/** What of the tree is not the doing of selected records: contents and names, by their last change. */
function othersWork(log: JudgedLog, selected: ReadonlySet<Recno>) {
  const isTheirs = (version: unknown): boolean => !selected.has(version as Recno);
  const places = placesOf(log.state);
  return {
    contents: places
      .filter(({ object: { contentVersion } }) => isTheirs(contentVersion))
      .map(({ object: { oid, sha256, sizeBytes } }) => ({ oid, sha256, sizeBytes })),
    names: places
      .filter(({ entry }) => isTheirs(entry.version))
      .map(({ entry }) => `${entry.parent} ${entry.name} ${entry.oid}`),
  };
}

/** What became of the operations of an undo, each kind once. */
function outcomesOf(log: JudgedLog, undo: UndoPlan, peer = UNDOER): string[] {
  return [...new Set(log.undo(peer, undo).map(({ verdict, reason }) => reason ?? verdict))];
}

describe("planUndo()", () => {
  it(`of all since a record gives the tree at that record, in ${HISTORIES} histories [D1] [D3]`, () => {
    let renewed = 0;
    let kept = 0;
    for (const seed of seeds) {
      const random = new Random(seed);
      const log = new JudgedLog();
      change(log, [ANN, BOB], 25, random);
      const after = log.head;
      change(log, [ANN, BOB], 1 + random.below(25), random);
      const undo = plan(
        log,
        after,
        select(log, after, () => true),
      );
      const before = log.at(after);
      expect(undo.leftAlone, `seed ${seed}`).toEqual([]);
      expect(["applied"], `seed ${seed}`).toEqual(expect.arrayContaining(outcomesOf(log, undo)));
      expect(looks(log.state), `seed ${seed}`).toEqual(looks(before));
      for (const oid of oids(log.state)) {
        if (oids(before).has(oid)) kept += 1;
        else renewed += 1;
      }
    }
    // Only what an atomic save has ended needs another id.
    expect(renewed).toBeLessThan(kept / 20);
  });

  it.each([
    { whose: "one peer's records", isSelected: () => byAnn },
    { whose: "any records", isSelected: (random: Random) => () => random.chance(0.5) },
  ])(`of $whose keeps what others did, in ${HISTORIES} histories`, ({ isSelected }) => {
    let undone = 0;
    let leftAlone = 0;
    for (const seed of seeds) {
      const random = new Random(seed);
      const log = new JudgedLog();
      change(log, [ANN, BOB], 20, random);
      const after = log.head;
      change(log, [ANN, ANN, BOB], 20, random);
      const selected = select(log, after, isSelected(random));
      const undo = plan(log, after, selected);
      const works = othersWork(log, selected);
      expect(["applied"], `seed ${seed}`).toEqual(expect.arrayContaining(outcomesOf(log, undo)));
      const left = othersWork(log, selected);
      expect(left.names, `seed ${seed}`).toEqual(expect.arrayContaining(works.names));
      expect(left.contents, `seed ${seed}`).toEqual(expect.arrayContaining(works.contents));
      expect(looks(log.state).join("\n"), `seed ${seed}`).not.toContain(".izo-undo-");
      undone += undo.operations.length;
      leftAlone += undo.leftAlone.length;
    }
    expect(undone).toBeGreaterThan(HISTORIES);
    expect(leftAlone).toBeGreaterThan(HISTORIES / 10);
  });

  it("leaves alone what it has no content for, and undoes the rest", () => {
    let gone = 0;
    for (const seed of seeds.slice(0, 100)) {
      const random = new Random(seed);
      const log = new JudgedLog();
      change(log, [ANN], 25, random);
      const after = log.head;
      change(log, [ANN], 20, random);
      const selected = select(log, after, () => true);
      const undo = plan(log, after, selected, UNDOER, isKept);
      const needed = undo.operations.flatMap((operation) =>
        operation.opcode === "CLOSE" && operation.sha256 !== null ? [operation.sha256] : [],
      );
      expect(needed.every((sha256) => isKept(sha256) || sha256 === EMPTY_SHA256)).toBe(true);
      expect(["applied"], `seed ${seed}`).toEqual(expect.arrayContaining(outcomesOf(log, undo)));
      gone += undo.leftAlone.filter(({ reason }) => reason === "content-gone").length;
    }
    expect(gone).toBeGreaterThan(10);
  });

  it("puts what was in a removed directory into the one that has its name by now", () => {
    const log = new JudgedLog();
    const made = { uid: 0, gid: 0, mode: 0o755, mtimeNs: 0n, target: "", rdev: 0, conflict: null };
    const make = (
      peer: PeerId,
      kind: "file" | "directory",
      id: string,
      parent: Oid,
      name: string,
    ) =>
      log.submit(
        peer,
        creationOf({
          ...made,
          kind,
          oid: id.repeat(32) as Oid,
          parent,
          name: name as Name,
          path: "/",
        }),
      );
    make(ANN, "directory", "1", ROOT_OID, "d");
    make(ANN, "file", "2", "1".repeat(32) as Oid, "a");
    const after = log.head;
    for (const name of ["a", "d"] as Name[]) {
      const { entry, object } = placesOf(log.state).find((place) => place.entry.name === name)!;
      const removed = { ...entry, path: "/", nameBase: entry.version };
      log.submit(
        ANN,
        object.kind === "directory"
          ? { opcode: "RMDIR", ...removed }
          : { opcode: "UNLINK", ...removed, contentBase: object.contentVersion, isLastName: true },
      );
    }
    make(BOB, "directory", "3", ROOT_OID, "d");
    make(BOB, "file", "4", "3".repeat(32) as Oid, "b");
    const undo = plan(log, after, select(log, after, byAnn));
    expect(undo.leftAlone).toEqual([]);
    expect(outcomesOf(log, undo)).toEqual(["applied"]);
    expect(looks(log.state).map((line) => line.split(" ")[0])).toEqual(["/d", "/d/a", "/d/b"]);
    expect(oids(log.state)).toEqual(new Set(["2", "3", "4"].map((id) => id.repeat(32))));
  });

  it("of an undo does again what was undone", () => {
    for (const seed of seeds.slice(0, 100)) {
      const random = new Random(seed);
      const log = new JudgedLog();
      change(log, [ANN], 30, random);
      const after = log.head;
      change(log, [ANN], 10, random);
      const done = looks(log.state);
      const head = log.head;
      log.undo(UNDOER, plan(log, after, select(log, after, byAnn)));
      const redo = plan(
        log,
        head,
        select(log, head, () => true),
        BOB,
      );
      expect(redo.leftAlone, `seed ${seed}`).toEqual([]);
      log.undo(BOB, redo);
      expect(looks(log.state), `seed ${seed}`).toEqual(done);
    }
  });

  it("finds nothing left to do when it is planned again", () => {
    for (const seed of seeds.slice(0, 100)) {
      const random = new Random(seed);
      const log = new JudgedLog();
      change(log, [ANN, BOB], 20, random);
      const after = log.head;
      change(log, [ANN, BOB], 10, random);
      const selected = select(log, after, byAnn);
      log.undo(UNDOER, plan(log, after, selected));
      expect(plan(log, after, selected).operations, `seed ${seed}`).toEqual([]);
    }
  });
});
