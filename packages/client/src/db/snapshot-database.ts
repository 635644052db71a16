import { rmSync } from "node:fs";

import type { Entry, Name, Oid, PeerId } from "@izo/core";
import { bytesToText } from "@izo/core";

import { openIndex, type ClientIndex } from "./open-index.ts";
import { SqlState } from "./sql-state.ts";

/** Tables that a snapshot replaces as a whole. */
const REPLACED = ["objects", "entries", "tombstones", "aliases"] as const;

/**
 * A tree that is being received, in a file of its own beside the index: the one in use stays as it is
 * until the new one is whole (design C5). A crash leaves a file that the next snapshot removes.
 */
export class SnapshotDatabase implements Disposable {
  readonly state: SqlState;
  readonly #path: string;
  readonly #index: ClientIndex;

  /** Starts an empty one. */
  constructor(path: string, own: PeerId) {
    removeFiles(path);
    this.#path = path;
    this.#index = openIndex(path, true);
    this.state = new SqlState(this.#index.sqlite, own);
    this.state.noteEmpty();
    this.#index.sqlite.exec("BEGIN");
  }

  /** All rows are in: others may read them. */
  complete(): void {
    this.#index.sqlite.exec("COMMIT");
  }

  /** Objects and names in which the tree of the index and this one differ. */
  compareWith({ sqlite }: ClientIndex): {
    objects: Oid[];
    names: Pick<Entry, "parent" | "name">[];
  } {
    return this.#attached(sqlite, () => ({
      objects: (sqlite.prepare(differenceOf("objects", "*", "oid")).all() as { oid: Buffer }[]).map(
        ({ oid }) => oid.toString("hex") as Oid,
      ),
      names: (
        sqlite.prepare(differenceOf("entries", "parent, name, oid", "parent, name")).all() as {
          parent: Buffer;
          name: Buffer;
        }[]
      ).map(({ parent, name }) => ({
        parent: parent.toString("hex") as Oid,
        name: bytesToText(name) as Name,
      })),
    }));
  }

  /**
   * Puts this tree into the index in the place of its own, and does what belongs to it, as one
   * transaction.
   *
   * @param isSameLog outcomes that the index holds are facts of that log and stay: records that wait
   *   may build on them. Those of a log that is lost go.
   */
  moveInto({ sqlite }: ClientIndex, isSameLog: boolean, andThen: () => void): void {
    this.#attached(sqlite, () => {
      sqlite
        .transaction(() => {
          for (const table of REPLACED) {
            sqlite.exec(`DELETE FROM main.${table}`);
            sqlite.exec(`INSERT INTO main.${table} SELECT * FROM snapshot.${table}`);
          }
          if (!isSameLog) sqlite.exec("DELETE FROM main.outcomes");
          sqlite.exec("INSERT OR REPLACE INTO main.outcomes SELECT * FROM snapshot.outcomes");
          andThen();
        })
        .immediate();
    });
  }

  [Symbol.dispose](): void {
    this.#index.sqlite.close();
    removeFiles(this.#path);
  }

  #attached<T>(sqlite: ClientIndex["sqlite"], use: () => T): T {
    sqlite.prepare("ATTACH DATABASE ? AS snapshot").run(this.#path);
    try {
      return use();
    } finally {
      sqlite.exec("DETACH DATABASE snapshot");
    }
  }
}

function differenceOf(table: string, columns: string, key: string): string {
  const rows = (schema: string): string => `SELECT ${columns} FROM ${schema}.${table}`;
  const only = (a: string, b: string): string =>
    `SELECT ${key} FROM (${rows(a)} EXCEPT ${rows(b)})`;
  return `${only("main", "snapshot")} UNION ${only("snapshot", "main")}`;
}

function removeFiles(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
}
