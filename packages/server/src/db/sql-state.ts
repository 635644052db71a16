import type {
  Entry,
  MutableState,
  Name,
  Oid,
  OriginId,
  Outcome,
  OutcomeReason,
  Recno,
  Tombstone,
  TreeObject,
  Version,
} from "@izo/core";
import { authoritativeRecno } from "@izo/core";
import type { Statement } from "better-sqlite3";

import { bytesOf, bytesOfText, hexColumn, hexOf, nameOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import type { CachedObject } from "./object-cache.ts";
import {
  OBJECT_COLUMNS,
  objectOf,
  objectValues,
  type ObjectRow,
  selectObject,
} from "./object-row.ts";
import type { StateCache } from "./state-cache.ts";

interface EntryRow {
  readonly parent: Oid;
  readonly name: Buffer;
  readonly oid: Oid;
  readonly from_recno: number;
}

interface OutcomeRow {
  readonly verdict: Outcome["verdict"];
  readonly reason: OutcomeReason | null;
  readonly trace: Recno;
  readonly origin_check: string;
  readonly oid: Buffer;
  readonly name_version: Recno;
  readonly content_version: Recno;
  readonly attributes_version: Recno;
}

/**
 * The tree as replay has left it, in SQLite, with its history (design D7): what a record ends is
 * closed with its recno, not deleted. On the writing connection it sees its own open transaction, so
 * the judge always reads up to the last record; on a reading one it sees what is committed.
 */
export class SqlState implements MutableState {
  readonly #sql: ReturnType<typeof prepare>;
  readonly #cache: StateCache | null;
  #files = 0;
  #bytes = 0;

  /** @param cache only on the connection that writes: others do not see when it is out of date */
  constructor(connection: Connection, cache: StateCache | null = null) {
    this.#sql = prepare(connection);
    this.#cache = cache;
  }

  object(oid: Oid): TreeObject | undefined {
    return this.#present(oid)?.object;
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    const asked = this.#cache?.asked;
    if (asked?.parent === parent && asked.name === name) return asked.entry;
    const row = this.#sql.entry.get(bytesOf(parent), bytesOfText(name)) as EntryRow | undefined;
    const entry = row && entryOf(row);
    this.#cache?.noteAsked({ parent, name, entry });
    return entry;
  }

  links(oid: Oid): readonly Entry[] {
    const cached = this.#cache?.links.get(oid);
    if (cached !== undefined) return cached;
    const links = (this.#sql.links.all(bytesOf(oid)) as EntryRow[]).map(entryOf);
    this.#cache?.links.put(oid, links);
    return links;
  }

  children(parent: Oid): Iterable<Entry> {
    return (this.#sql.children.all(bytesOf(parent)) as EntryRow[]).map(entryOf);
  }

  hasChildren(parent: Oid): boolean {
    return this.#sql.hasChildren.get(bytesOf(parent)) !== undefined;
  }

  tombstone(oid: Oid): Tombstone | undefined {
    const row = this.#sql.tombstone.get(bytesOf(oid)) as
      | { parent: Buffer; name: Buffer; removed_at: Recno }
      | undefined;
    if (row === undefined) return undefined;
    const object = this.#sql.objectThatEnded.get(bytesOf(oid), row.removed_at) as ObjectRow;
    return {
      object: objectOf(object),
      parent: hexOf(row.parent) as Oid,
      name: nameOf(row.name),
      removedAt: row.removed_at,
    };
  }

  alias(oid: Oid): Oid | undefined {
    const row = this.#sql.alias.get(bytesOf(oid)) as { oid: Buffer } | undefined;
    return row && (hexOf(row.oid) as Oid);
  }

  outcome(origin: OriginId): Outcome | undefined {
    const row = this.#sql.outcome.get(bytesOf(origin.peer), origin.recno) as OutcomeRow | undefined;
    return row && outcomeOf(row);
  }

  putObject(object: TreeObject, at: Version): void {
    const recno = authoritativeRecno(at);
    const oid = bytesOf(object.oid);
    const present = this.#present(object.oid);
    // Changed twice by one record: only the last value ever held.
    if (present?.from === recno) this.#sql.dropObject.run(oid, recno);
    else if (present !== null) this.#sql.endObject.run(recno, oid);
    this.#sql.addObject.run(oid, recno, ...objectValues(object));
    this.#cache?.objects.put(object.oid, { object, from: recno });
    if (present !== null) this.#countFile(present.object, -1);
    this.#countFile(object, 1);
  }

  removeObject(oid: Oid, at: Version): void {
    const present = this.#present(oid);
    if (present !== null) this.#countFile(present.object, -1);
    this.#sql.endObject.run(authoritativeRecno(at), bytesOf(oid));
    this.#cache?.objects.put(oid, null);
  }

  /** By how much files and their sizes have grown since it was asked last: for the head, which moves next. */
  takeFileChange(): { readonly files: number; readonly bytes: number } {
    const change = { files: this.#files, bytes: this.#bytes };
    this.#files = 0;
    this.#bytes = 0;
    return change;
  }

  putEntry(entry: Entry, at: Version): void {
    if (this.entry(entry.parent, entry.name) !== undefined)
      this.removeEntry(entry.parent, entry.name, at);
    this.#cache?.noteAsked(null);
    this.#cache?.links.add(entry);
    this.#sql.addEntry.run(
      bytesOf(entry.parent),
      bytesOfText(entry.name),
      bytesOf(entry.oid),
      authoritativeRecno(entry.version),
    );
  }

  removeEntry(parent: Oid, name: Name, at: Version): void {
    this.#cache?.noteAsked(null);
    this.#cache?.links.remove(parent, name);
    const parentBytes = bytesOf(parent);
    const nameBytes = bytesOfText(name);
    this.#sql.dropEntry.run(parentBytes, nameBytes, authoritativeRecno(at));
    this.#sql.endEntry.run(authoritativeRecno(at), parentBytes, nameBytes);
  }

  putTombstone({ object, parent, name, removedAt }: Tombstone): void {
    this.#sql.addTombstone.run(
      bytesOf(object.oid),
      bytesOf(parent),
      bytesOfText(name),
      authoritativeRecno(removedAt),
    );
  }

  removeTombstone(oid: Oid): void {
    this.#sql.dropTombstone.run(bytesOf(oid));
  }

  putAlias(alias: Oid, oid: Oid, at: Version): void {
    this.#sql.addAlias.run(bytesOf(alias), bytesOf(oid), authoritativeRecno(at));
  }

  #present(oid: Oid): CachedObject | null {
    const cached = this.#cache?.objects.get(oid);
    if (cached !== undefined) return cached;
    const row = this.#sql.object.get(bytesOf(oid)) as ObjectRow | undefined;
    const found = row ? { object: objectOf(row), from: Number(row.from_recno) as Recno } : null;
    this.#cache?.objects.put(oid, found);
    return found;
  }

  #countFile({ kind, sizeBytes }: TreeObject, files: 1 | -1): void {
    if (kind !== "file") return;
    this.#files += files;
    this.#bytes += files * sizeBytes;
  }

  /** Also moves the peer's last_rcvd, so that both are one fact. */
  putOutcome(origin: OriginId, outcome: Outcome): void {
    const peer = bytesOf(origin.peer);
    this.#sql.addOutcome.run(
      peer,
      origin.recno,
      outcome.verdict,
      outcome.reason,
      outcome.trace,
      outcome.check,
      bytesOf(outcome.oid),
      outcome.nameVersion,
      outcome.contentVersion,
      outcome.attributesVersion,
    );
    this.#sql.receive.run(peer, origin.recno);
  }
}

export function entryOf(row: EntryRow): Entry {
  return {
    parent: row.parent,
    name: nameOf(row.name),
    oid: row.oid,
    version: row.from_recno as Recno,
  };
}

export function outcomeOf(row: OutcomeRow): Outcome {
  return {
    verdict: row.verdict,
    reason: row.reason,
    trace: row.trace,
    check: row.origin_check,
    oid: hexOf(row.oid) as Oid,
    nameVersion: row.name_version,
    contentVersion: row.content_version,
    attributesVersion: row.attributes_version,
  };
}

/** Statements are compiled once: judging one record runs about a dozen of them. */
function prepare(connection: Connection): Record<StatementName, Statement> {
  const statements: Record<StatementName, string> = STATEMENTS;
  const prepared = Object.entries(statements).map(([name, source]): [string, Statement] => {
    const statement = connection.prepare(source);
    return [
      name,
      source.includes("mtime_ns") && statement.reader ? statement.safeIntegers() : statement,
    ];
  });
  return Object.fromEntries(prepared) as Record<StatementName, Statement>;
}

/** What a query of an entry's row selects. */
export const ENTRY_COLUMNS = `${hexColumn("parent")}, name, ${hexColumn("oid")}, from_recno`;

type StatementName = keyof typeof STATEMENTS;

const STATEMENTS = {
  object: `SELECT ${selectObject()} FROM objects WHERE oid = ? AND to_recno IS NULL`,
  objectThatEnded: `SELECT ${selectObject()} FROM objects WHERE oid = ? AND to_recno = ?`,
  addObject: `INSERT INTO objects (oid, from_recno, ${OBJECT_COLUMNS}) VALUES (?, ?, ${OBJECT_COLUMNS.split(
    ",",
  )
    .map(() => "?")
    .join(", ")})`,
  endObject: "UPDATE objects SET to_recno = ? WHERE oid = ? AND to_recno IS NULL",
  dropObject: "DELETE FROM objects WHERE oid = ? AND from_recno = ?",
  entry: `SELECT ${ENTRY_COLUMNS} FROM entries WHERE parent = ? AND name = ? AND to_recno IS NULL`,
  links: `SELECT ${ENTRY_COLUMNS} FROM entries WHERE oid = ? AND to_recno IS NULL ORDER BY from_recno`,
  children: `SELECT ${ENTRY_COLUMNS} FROM entries WHERE parent = ? AND to_recno IS NULL ORDER BY name`,
  hasChildren: "SELECT 1 FROM entries WHERE parent = ? AND to_recno IS NULL LIMIT 1",
  addEntry: `INSERT INTO entries (parent, name, oid, from_recno) VALUES (?, ?, ?, ?)`,
  endEntry: "UPDATE entries SET to_recno = ? WHERE parent = ? AND name = ? AND to_recno IS NULL",
  dropEntry:
    "DELETE FROM entries WHERE parent = ? AND name = ? AND from_recno = ? AND to_recno IS NULL",
  tombstone: "SELECT parent, name, removed_at FROM tombstones WHERE oid = ?",
  addTombstone:
    "INSERT OR REPLACE INTO tombstones (oid, parent, name, removed_at) VALUES (?, ?, ?, ?)",
  dropTombstone: "DELETE FROM tombstones WHERE oid = ?",
  alias: "SELECT oid FROM aliases WHERE alias = ?",
  addAlias: "INSERT OR REPLACE INTO aliases (alias, oid, from_recno) VALUES (?, ?, ?)",
  outcome:
    "SELECT verdict, reason, trace, origin_check, oid, name_version, content_version, attributes_version FROM outcomes WHERE peer = ? AND origin_recno = ?",
  addOutcome:
    "INSERT OR REPLACE INTO outcomes (peer, origin_recno, verdict, reason, trace, origin_check, oid, name_version, content_version, attributes_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  receive:
    "INSERT INTO peers (peer, host, received_recno, replayed_recno, seen_ms) VALUES (?, '', ?, 0, 0) ON CONFLICT (peer) DO UPDATE SET received_recno = max(received_recno, excluded.received_recno)",
} as const;
