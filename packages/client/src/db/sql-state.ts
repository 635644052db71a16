/**
 * The authoritative tree of a client in SQLite: what replay has made of the server's KML up to the
 * position in `standing`, present only (design C5, D7). `LocalReplica` is its only writer, inside one
 * transaction with the position; so a crash leaves the tree of one position, never half of a record.
 */

import {
  authoritativeRecno,
  entryKey,
  rootObject,
  ROOT_OID,
  textToBytes,
  bytesToText,
  type Entry,
  type MutableState,
  type Name,
  type Oid,
  type OriginId,
  type Outcome,
  type OutcomeReason,
  type PeerId,
  type Recno,
  type Tombstone,
  type TreeObject,
} from "@izo/core";
import type { Database } from "better-sqlite3";

import { BoundedCache } from "./bounded-cache.ts";
import { bindObject, idBytes, OBJECT_COLUMNS, objectOf, type ObjectRow } from "./object-row.ts";

/** Values kept in memory of each sort: the hot path asks memory, not SQLite; about 20 MB in all. */
const CACHED = 32_768;

const NO_ENTRIES: readonly Entry[] = [];

interface EntryRow {
  readonly parent: Buffer;
  readonly name: Buffer;
  readonly oid: Buffer;
  readonly version: number;
}

/** An entry of a directory that is known, with the digits of its object's id: to make Buffers costs most of reading a row. */
interface ChildRow {
  readonly name: Buffer;
  readonly oid: Oid;
  readonly version: Recno;
}

interface OutcomeRow {
  readonly verdict: Outcome["verdict"];
  readonly reason: OutcomeReason | null;
  readonly trace: Recno;
  readonly check: string;
  readonly oid: Buffer;
  readonly name_version: Recno;
  readonly content_version: Recno;
  readonly attributes_version: Recno;
}

export class SqlState implements MutableState {
  readonly #sqlite: Database;
  readonly #sql: ReturnType<typeof prepare>;
  readonly #keepsOutcomesOf: PeerId | null;
  /** Null stands for "nothing there": absence is asked for as often as presence. */
  #objects: BoundedCache<Oid, TreeObject | null>;
  #entries: BoundedCache<string, Entry | null>;
  #links: BoundedCache<Oid, readonly Entry[]>;
  /** The tables began empty: while a cache has all that came since, they have nothing that it lacks. */
  #beganEmpty = false;
  readonly #aliases = new BoundedCache<Oid, Oid | null>(CACHED);
  /** By origin: each operation on what waits here asks what became of the records that it builds on. */
  readonly #outcomes = new BoundedCache<string, Outcome | null>(CACHED);
  #conflicts: Set<Oid> | undefined;
  /** Objects that were made here, of which the tables have nothing yet: neither what they are nor a name. */
  readonly #fresh = new Set<Oid>();
  /** Those among them, and since, in which the tables have no entry. */
  readonly #childless = new Set<Oid>();
  /** The own peer's last record whose outcome is known: what was made after it has none. */
  #lastOutcome: number | undefined;

  /**
   * @param keepsOutcomesOf the own peer: replay passes the outcomes of all peers, and those of others
   *   decide nothing here; null keeps all
   * @param cached values that are kept in memory of each sort
   */
  constructor(sqlite: Database, keepsOutcomesOf: PeerId | null, cached = CACHED) {
    this.#objects = new BoundedCache(cached);
    this.#entries = new BoundedCache(cached);
    this.#links = new BoundedCache(cached);
    this.#sqlite = sqlite;
    this.#sql = prepare(sqlite);
    this.#keepsOutcomesOf = keepsOutcomesOf;
    if (this.object(ROOT_OID) === undefined) this.putObject(rootObject());
  }

  /** Runs `change` in one transaction: all of it is there afterwards, or nothing when it throws. */
  transact<T>(change: () => T): T {
    try {
      return this.#sqlite.transaction(change).immediate();
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** An object that nobody can know yet: who asks what it is, or was, need not ask the tables. */
  noteNew(oid: Oid): void {
    for (const known of [this.#fresh, this.#childless]) {
      if (known.size >= CACHED) known.clear();
      known.add(oid);
    }
  }

  /** The tables have nothing but the root: they need not be asked for what comes now, and whether it was there before. */
  noteEmpty(): void {
    this.forget();
    this.#objects.put(ROOT_OID, rootObject());
    this.#beganEmpty = true;
  }

  /** Takes over what another one keeps in memory, whose tables these are now. It is of no use any more. */
  inherit(other: SqlState): void {
    this.#objects = other.#objects;
    this.#entries = other.#entries;
    this.#links = other.#links;
    this.#beganEmpty = other.#beganEmpty;
  }

  /** Drops what is kept in memory, after the tables were changed in another way. */
  forget(): void {
    this.#beganEmpty = false;
    this.#conflicts = undefined;
    this.#lastOutcome = undefined;
    this.#fresh.clear();
    this.#childless.clear();
    this.#objects.clear();
    this.#entries.clear();
    this.#links.clear();
    this.#aliases.clear();
    this.#outcomes.clear();
  }

  object(oid: Oid): TreeObject | undefined {
    if (this.#fresh.has(oid)) return undefined;
    const read = (): TreeObject | null => {
      if (this.#beganEmpty && this.#objects.hasAll) return null;
      const row = this.#sql.object.get(idBytes(oid)) as ObjectRow | undefined;
      return row === undefined ? null : objectOf(row);
    };
    return this.#objects.get(oid, read) ?? undefined;
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    if (this.#childless.has(parent)) return undefined;
    const read = (): Entry | null => {
      if (this.#beganEmpty && this.#entries.hasAll) return null;
      const row = this.#sql.entry.get(idBytes(parent), textToBytes(name)) as EntryRow | undefined;
      return row === undefined ? null : entryOf(row);
    };
    return this.#entries.get(entryKey(parent, name), read) ?? undefined;
  }

  links(oid: Oid): readonly Entry[] {
    if (this.#fresh.has(oid)) return NO_ENTRIES;
    return this.#links.get(oid, () =>
      this.#knowsLinks
        ? NO_ENTRIES
        : (this.#sql.links.all(idBytes(oid)) as EntryRow[]).map(entryOf),
    );
  }

  children(parent: Oid): Iterable<Entry> {
    if (this.#childless.has(parent)) return NO_ENTRIES;
    const rows = this.#sql.children.all(idBytes(parent)) as ChildRow[];
    return rows.map(({ name, oid, version }) => ({
      parent,
      name: bytesToText(name) as Name,
      oid,
      version,
    }));
  }

  hasChildren(parent: Oid): boolean {
    if (this.#childless.has(parent)) return false;
    return this.#sql.hasChildren.get(idBytes(parent)) !== undefined;
  }

  tombstone(oid: Oid): Tombstone | undefined {
    if (this.#fresh.has(oid)) return undefined;
    const row = this.#sql.tombstone.get(idBytes(oid)) as
      | (ObjectRow & { parent: Buffer; name: Buffer; removed_at: bigint })
      | undefined;
    if (row === undefined) return undefined;
    return {
      object: objectOf(row),
      parent: row.parent.toString("hex") as Oid,
      name: bytesToText(row.name) as Name,
      removedAt: Number(row.removed_at) as Recno,
    };
  }

  alias(oid: Oid): Oid | undefined {
    if (this.#fresh.has(oid)) return undefined;
    const read = (): Oid | null => {
      const row = this.#sql.alias.get(idBytes(oid)) as { oid: Buffer } | undefined;
      return row === undefined ? null : (row.oid.toString("hex") as Oid);
    };
    return this.#aliases.get(oid, read) ?? undefined;
  }

  outcome(origin: OriginId): Outcome | undefined {
    const { peer, recno } = origin;
    if (peer === this.#keepsOutcomesOf) {
      this.#lastOutcome ??= this.#sql.lastOutcome.get(idBytes(peer)) as number;
      if (recno > this.#lastOutcome) return undefined;
    }
    const read = (): Outcome | null => {
      const row = this.#sql.outcome.get(idBytes(origin.peer), origin.recno) as
        | OutcomeRow
        | undefined;
      return row === undefined ? null : outcomeOf(row);
    };
    return this.#outcomes.get(originKey(origin), read) ?? undefined;
  }

  /** The last own records that were refused, the latest first. */
  refusals(limit: number): { oid: Oid; reason: OutcomeReason | null; trace: Recno }[] {
    const rows = this.#sql.refusals.all(limit) as Pick<OutcomeRow, "oid" | "reason" | "trace">[];
    return rows.map(({ oid, reason, trace }) => ({
      oid: oid.toString("hex") as Oid,
      reason,
      trace,
    }));
  }

  /** Names in the tree. */
  countEntries(): number {
    return (this.#sql.countEntries.get() as { count: number }).count;
  }

  /** All files with a content, in pieces: what replica mode has to have. */
  *files(): Iterable<TreeObject> {
    if (this.#beganEmpty && this.#objects.hasAll) {
      for (const object of this.#objects.values())
        if (object !== null && object.sha256 !== null) yield object;
      return;
    }
    let after: Buffer = Buffer.alloc(0);
    for (;;) {
      const rows = this.#sql.filesAfter.all(after) as ObjectRow[];
      for (const row of rows) yield objectOf(row);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.oid;
    }
  }

  /** Objects that are conflict copies, or were once; read from the table once, then kept up. */
  conflictCopies(): Iterable<Oid> {
    this.#conflicts ??= new Set(
      (this.#sql.conflicts.all() as { oid: Buffer }[]).map(({ oid }) => oid.toString("hex") as Oid),
    );
    return this.#conflicts;
  }

  putObject(object: TreeObject): void {
    this.#fresh.delete(object.oid);
    if (object.conflict !== null) this.#conflicts?.add(object.oid);
    this.#sql.putObject.run(bindObject(object));
    this.#objects.put(object.oid, object);
  }

  removeObject(oid: Oid): void {
    this.#conflicts?.delete(oid);
    this.#sql.removeObject.run(idBytes(oid));
    this.#objects.put(oid, null);
  }

  putEntry(entry: Entry): void {
    const { parent, name, oid, version } = entry;
    this.#childless.delete(parent);
    const isFirst = this.#fresh.delete(oid);
    const row = [
      idBytes(parent),
      textToBytes(name),
      idBytes(oid),
      authoritativeRecno(version),
    ] as const;
    // Most names are new: to put one says whether there was another, for less than it takes to look.
    if (this.#sql.putNewEntry.run(row).changes === 0) {
      this.removeEntry(parent, name);
      this.#sql.putEntry.run(row);
    }
    this.#entries.put(entryKey(parent, name), entry);
    this.#changeLinks(oid, isFirst, (links) => [...links, entry]);
  }

  removeEntry(parent: Oid, name: Name): void {
    const old = this.entry(parent, name);
    if (old === undefined) return;
    this.#sql.removeEntry.run(idBytes(parent), textToBytes(name));
    this.#entries.put(entryKey(parent, name), null);
    this.#changeLinks(old.oid, false, (links) =>
      links.filter((link) => link.parent !== parent || link.name !== name),
    );
  }

  get #knowsLinks(): boolean {
    return this.#beganEmpty && this.#links.hasAll;
  }

  /** Keeps the names of an object up, where they are known. */
  #changeLinks(
    oid: Oid,
    hadNone: boolean,
    change: (links: readonly Entry[]) => readonly Entry[],
  ): void {
    const known = this.#links.peek(oid) ?? (hadNone || this.#knowsLinks ? NO_ENTRIES : undefined);
    if (known !== undefined) this.#links.put(oid, change(known));
  }

  putTombstone({ object, parent, name, removedAt }: Tombstone): void {
    this.#fresh.delete(object.oid);
    const place = [idBytes(parent), textToBytes(name), authoritativeRecno(removedAt)];
    this.#sql.putTombstone.run([...bindObject(object), ...place]);
  }

  removeTombstone(oid: Oid): void {
    this.#sql.removeTombstone.run(idBytes(oid));
  }

  /** Forgets removals before a recno: nobody can build on what was there any more. */
  dropTombstonesBefore(recno: Recno): void {
    this.#sql.dropTombstones.run(recno);
  }

  putAlias(alias: Oid, oid: Oid): void {
    this.#fresh.delete(alias);
    this.#sql.putAlias.run(idBytes(alias), idBytes(oid));
    this.#aliases.put(alias, oid);
  }

  putOutcome({ peer, recno }: OriginId, outcome: Outcome): void {
    if (this.#keepsOutcomesOf !== null && peer !== this.#keepsOutcomesOf) return;
    this.#outcomes.put(originKey({ peer, recno }), outcome);
    if (this.#lastOutcome !== undefined) this.#lastOutcome = Math.max(this.#lastOutcome, recno);
    this.#sql.putOutcome.run(
      idBytes(peer),
      recno,
      outcome.verdict,
      outcome.reason,
      outcome.trace,
      outcome.check,
      idBytes(outcome.oid),
      outcome.nameVersion,
      outcome.contentVersion,
      outcome.attributesVersion,
    );
  }
}

function originKey({ peer, recno }: OriginId): string {
  return `${recno} ${peer}`;
}

function outcomeOf(row: OutcomeRow): Outcome {
  return {
    verdict: row.verdict,
    reason: row.reason,
    trace: row.trace,
    check: row.check,
    oid: row.oid.toString("hex") as Oid,
    nameVersion: row.name_version,
    contentVersion: row.content_version,
    attributesVersion: row.attributes_version,
  };
}

function entryOf(row: EntryRow): Entry {
  return {
    parent: row.parent.toString("hex") as Oid,
    name: bytesToText(row.name) as Name,
    oid: row.oid.toString("hex") as Oid,
    version: row.version as Recno,
  };
}

function prepare(sqlite: Database) {
  const columns = OBJECT_COLUMNS.join(", ");
  const holes = OBJECT_COLUMNS.map(() => "?").join(", ");
  return {
    object: sqlite.prepare(`SELECT ${columns} FROM objects WHERE oid = ?`).safeIntegers(),
    filesAfter: sqlite
      .prepare(
        `SELECT ${columns} FROM objects WHERE oid > ? AND sha256 IS NOT NULL ORDER BY oid LIMIT 1000`,
      )
      .safeIntegers(),
    conflicts: sqlite.prepare("SELECT oid FROM objects WHERE conflict IS NOT NULL"),
    putObject: sqlite.prepare(`INSERT OR REPLACE INTO objects (${columns}) VALUES (${holes})`),
    removeObject: sqlite.prepare("DELETE FROM objects WHERE oid = ?"),
    entry: sqlite.prepare(
      "SELECT parent, name, oid, version FROM entries WHERE parent = ? AND name = ?",
    ),
    links: sqlite.prepare("SELECT parent, name, oid, version FROM entries WHERE oid = ?"),
    children: sqlite.prepare(
      "SELECT name, lower(hex(oid)) AS oid, version FROM entries WHERE parent = ?",
    ),
    hasChildren: sqlite.prepare("SELECT 1 FROM entries WHERE parent = ? LIMIT 1"),
    refusals: sqlite.prepare(
      "SELECT oid, reason, trace FROM outcomes WHERE verdict = 'refused' ORDER BY trace DESC LIMIT ?",
    ),
    countEntries: sqlite.prepare("SELECT count(*) AS count FROM entries"),
    putNewEntry: sqlite.prepare(
      "INSERT INTO entries (parent, name, oid, version) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    putEntry: sqlite.prepare(
      "INSERT INTO entries (parent, name, oid, version) VALUES (?, ?, ?, ?)",
    ),
    removeEntry: sqlite.prepare("DELETE FROM entries WHERE parent = ? AND name = ?"),
    tombstone: sqlite
      .prepare(`SELECT ${columns}, parent, name, removed_at FROM tombstones WHERE oid = ?`)
      .safeIntegers(),
    putTombstone: sqlite.prepare(
      `INSERT OR REPLACE INTO tombstones (${columns}, parent, name, removed_at) VALUES (${holes}, ?, ?, ?)`,
    ),
    removeTombstone: sqlite.prepare("DELETE FROM tombstones WHERE oid = ?"),
    dropTombstones: sqlite.prepare("DELETE FROM tombstones WHERE removed_at < ?"),
    alias: sqlite.prepare("SELECT oid FROM aliases WHERE alias = ?"),
    putAlias: sqlite.prepare("INSERT OR REPLACE INTO aliases (alias, oid) VALUES (?, ?)"),
    outcome: sqlite.prepare(
      `SELECT verdict, reason, trace, "check", oid, name_version, content_version, attributes_version
       FROM outcomes WHERE peer = ? AND recno = ?`,
    ),
    lastOutcome: sqlite
      .prepare("SELECT coalesce(max(recno), 0) FROM outcomes WHERE peer = ?")
      .pluck(),
    putOutcome: sqlite.prepare(
      `INSERT OR REPLACE INTO outcomes (peer, recno, verdict, reason, trace, "check", oid,
         name_version, content_version, attributes_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
  };
}
