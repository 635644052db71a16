import type { Entry, Name, Oid, Recno, StateReader, TreeObject } from "@izo/core";

import { bytesOf, bytesOfText, hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { objectOf, type ObjectRow, selectObject } from "./object-row.ts";
import { ENTRY_COLUMNS, entryOf } from "./sql-state.ts";

type EntryRow = Parameters<typeof entryOf>[0] & { readonly to_recno: number | null };

/**
 * The tree as it was behind a record of the log, read from the rows that held then (design D7). What
 * was removed by then, and what became of clients' records, it does not know.
 */
export class HistoryState implements StateReader {
  readonly #sql: ReturnType<typeof prepare>;
  readonly #at: Recno;

  constructor(connection: Connection, at: Recno) {
    this.#sql = prepare(connection);
    this.#at = at;
  }

  object(oid: Oid): TreeObject | undefined {
    return this.change(oid)?.object;
  }

  /** An object, and the record that made it what it was. */
  change(oid: Oid): { readonly object: TreeObject; readonly recno: Recno } | undefined {
    // The key finds the last row that had begun; it may have ended, too.
    const row = this.#sql.object.get(bytesOf(oid), this.#at);
    if (row === undefined || (row.to_recno !== null && row.to_recno <= this.#at)) return undefined;
    return { object: objectOf(row), recno: Number(row.from_recno) as Recno };
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    const row = this.#sql.entry.get(bytesOf(parent), bytesOfText(name), this.#at);
    if (row === undefined || (row.to_recno !== null && row.to_recno <= this.#at)) return undefined;
    return entryOf(row);
  }

  links(oid: Oid): readonly Entry[] {
    const asked = { oid: bytesOf(oid), at: this.#at };
    return [...this.#sql.standing.all(asked), ...this.#sql.ended.all(asked)].map(entryOf);
  }

  children(parent: Oid): Iterable<Entry> {
    return this.#sql.children.all({ parent: bytesOf(parent), at: this.#at }).map(entryOf);
  }

  hasChildren(parent: Oid): boolean {
    for (const _ of this.children(parent)) return true;
    return false;
  }

  tombstone(): undefined {
    return undefined;
  }

  alias(oid: Oid): Oid | undefined {
    const row = this.#sql.alias.get(bytesOf(oid), this.#at);
    return row && (hexOf(row) as Oid);
  }

  outcome(): undefined {
    return undefined;
  }
}

const ENTRY = `SELECT ${ENTRY_COLUMNS}, to_recno FROM entries WHERE`;

/** An object's names are asked for in two statements: those that stand and those that ended have an index each. */
function prepare(connection: Connection) {
  return {
    object: connection
      .prepare<[Buffer, Recno], ObjectRow>(
        `SELECT ${selectObject()} FROM objects WHERE oid = ? AND from_recno <= ? ORDER BY from_recno DESC LIMIT 1`,
      )
      .safeIntegers(),
    entry: connection.prepare<[Buffer, Buffer, Recno], EntryRow>(
      `${ENTRY} parent = ? AND name = ? AND from_recno <= ? ORDER BY from_recno DESC LIMIT 1`,
    ),
    standing: connection.prepare<[{ oid: Buffer; at: Recno }], EntryRow>(
      `${ENTRY} oid = @oid AND to_recno IS NULL AND from_recno <= @at ORDER BY from_recno`,
    ),
    ended: connection.prepare<[{ oid: Buffer; at: Recno }], EntryRow>(
      `${ENTRY} oid = @oid AND to_recno IS NOT NULL AND to_recno > @at AND from_recno <= @at ORDER BY from_recno`,
    ),
    children: connection.prepare<[{ parent: Buffer; at: Recno }], EntryRow>(
      `${ENTRY} parent = @parent AND from_recno <= @at AND (to_recno IS NULL OR to_recno > @at) ORDER BY name`,
    ),
    alias: connection
      .prepare<[Buffer, Recno], Buffer>(
        "SELECT oid FROM aliases WHERE alias = ? AND from_recno <= ?",
      )
      .pluck(),
  };
}
