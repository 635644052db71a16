import {
  NO_CHECK,
  objectAt,
  ROOT_OID,
  type BlamedEntry,
  type HistoryRequest,
  type HistoryResponse,
  type HistorySubject,
  type KmlReader,
  type LogPlace,
  type Name,
  type NameHolder,
  type Oid,
  type Recno,
  type ServerRecord,
  type TimeNs,
} from "@izo/core";

import { CommittedIndex } from "../../db/committed-index.ts";
import type { Connection } from "../../db/connection.ts";
import { HistoryState } from "../../db/history-state.ts";
import {
  aliasesOf,
  holdersOf,
  kindOf,
  lastRecordsAbout,
  recordsAbout,
  type Span,
} from "../../db/object-history.ts";
import { differingRows, isTreeKnown, treeRows } from "../../db/tree-rows.ts";
import { readRecords } from "../../log/read-records.ts";
import { LogTruncatedError, RecordUnknownError } from "../errors.ts";
import { type PathEntry, pathEntry } from "../tree/path-entry.ts";
import type { ExportHistory } from "./export-history.ts";
import type { Snapshot } from "./snapshot.ts";

export interface HistorySources {
  /** Sees what is committed. */
  readonly connection: Connection;
  readonly indexPath: string;
  readonly log: KmlReader;
  /** The last record that may be shown. */
  readonly head: () => Recno;
}

/** The {@link ExportHistory} of an export that is served: it reads the index and the log. */
export class LiveHistory implements ExportHistory {
  readonly #sources: HistorySources;

  constructor(sources: HistorySources) {
    this.#sources = sources;
  }

  recnoOf(place: LogPlace): Recno {
    const { log, connection } = this.#sources;
    const head = this.#sources.head();
    const recno = place.kind === "recno" ? place.recno : this.lastBy(place.timeNs);
    if (recno > head) throw new RecordUnknownError(recno, head);
    // An index that was made anew begins where its anchor stands, behind the log's first record.
    if (recno < log.oldest - 1 || !isTreeKnown(connection, recno)) {
      throw new LogTruncatedError(recno, log.oldest);
    }
    return recno;
  }

  lookUp(path: string, at: Recno): PathEntry | null {
    return pathEntry(this.#stateAt(at), path);
  }

  tree(at: Recno, against?: Recno): Snapshot {
    const { log, indexPath } = this.#sources;
    const index = new CommittedIndex(indexPath);
    // A read transaction: rows that are pruned meanwhile are still seen.
    index.connection.exec("BEGIN");
    const rows = (): ReturnType<typeof treeRows> =>
      against === undefined
        ? treeRows(index.connection, at)
        : differingRows(index.connection, at, against);
    return {
      position: log.positionAt(at),
      oldestRecno: log.oldest,
      received: { recno: 0 as Recno, check: NO_CHECK },
      rows,
      [Symbol.dispose]: () => index[Symbol.dispose](),
    };
  }

  record(recno: Recno): ServerRecord | undefined {
    const { log } = this.#sources;
    if (recno < log.oldest || recno > this.#sources.head()) return undefined;
    const [record] = readRecords(log, [recno]);
    return record;
  }

  records({ about, after, limit }: HistoryRequest): HistoryResponse {
    const { connection, log } = this.#sources;
    const { oids, holders } = this.#find(about);
    const head = this.#sources.head();
    const known = Math.max(after, log.oldest - 1) as Recno;
    const recnos = recordsAbout(connection, oids, known, limit).filter((recno) => recno <= head);
    return {
      holders,
      records: [...readRecords(log, recnos)],
      next: recnos.length < limit ? null : recnos.at(-1)!,
    };
  }

  lastRecords(oid: Oid, limit: number): readonly ServerRecord[] {
    const { connection, log } = this.#sources;
    const recnos = lastRecordsAbout(connection, this.#find({ oid }).oids, limit);
    const retained = recnos.filter((recno) => recno >= log.oldest && recno <= this.#sources.head());
    return [...readRecords(log, retained.toReversed())].toReversed();
  }

  /** The last record whose log time is not after the given one; log times never go back (design D4). */
  lastBy(timeNs: TimeNs): Recno {
    const { log } = this.#sources;
    let before = log.oldest - 1;
    let beyond = this.#sources.head() + 1;
    while (beyond - before > 1) {
      const middle = Math.floor((before + beyond) / 2);
      const [record] = readRecords(log, [middle as Recno]);
      if (record !== undefined && record.logTimeNs <= timeNs) before = middle;
      else beyond = middle;
    }
    // Of what came before the oldest record nobody knows how long it held.
    const isKnown = before >= log.oldest || log.oldest === 1;
    return (isKnown ? before : before - 1) as Recno;
  }

  blame(path: string, at: Recno): readonly BlamedEntry[] | null {
    const { log } = this.#sources;
    const state = this.#stateAt(at);
    const oid = objectAt(state, path);
    if (oid === undefined || state.object(oid)?.kind !== "directory") return null;
    const entries = [...state.children(oid)].map((entry) => {
      const { object, recno } = state.change(entry.oid)!;
      const last = Math.max(recno, entry.version as Recno) as Recno;
      return { name: entry.name, oid: entry.oid, kind: object.kind, recno: last };
    });
    const retained = entries.map(({ recno }) => recno).filter((recno) => recno >= log.oldest);
    const records = new Map<Recno, ServerRecord>();
    for (const record of readRecords(log, retained)) records.set(record.recno, record);
    return entries.map((entry) => ({ ...entry, record: records.get(entry.recno) ?? null }));
  }

  #stateAt(at: Recno): HistoryState {
    return new HistoryState(this.#sources.connection, at);
  }

  /** The objects that a question is about, under all ids that they had. */
  #find(about: HistorySubject): {
    readonly oids: readonly Oid[];
    readonly holders: readonly NameHolder[];
  } {
    const { connection } = this.#sources;
    const holders = "path" in about ? holdersOfPath(connection, about.path) : [];
    const found = new Set("oid" in about ? [about.oid] : holders.map(({ oid }) => oid));
    for (const oid of found) {
      const state = this.#stateAt(this.#sources.head());
      for (const alias of aliasesOf(connection, oid)) found.add(alias);
      const now = state.alias(oid);
      if (now !== undefined) found.add(now);
    }
    return { oids: [...found], holders };
  }
}

/** Who had a path, and when: where its directories were others for a time, so were their entries. */
function holdersOfPath(connection: Connection, path: string): NameHolder[] {
  let holders: Omit<NameHolder, "kind">[] = [{ oid: ROOT_OID, from: 0 as Recno, to: null }];
  for (const name of path.split("/").filter((part) => part !== "")) {
    holders = holders.flatMap((directory) =>
      holdersOf(connection, directory.oid, name as Name).flatMap(({ oid, ...span }) => {
        const shared = overlap(directory, span);
        return shared === null ? [] : [{ oid, ...shared }];
      }),
    );
  }
  return holders
    .toSorted((a, b) => a.from - b.from)
    .map((holder) => ({ ...holder, kind: kindOf(connection, holder.oid) ?? "file" }));
}

function overlap(a: Span, b: Span): Span | null {
  const from = Math.max(a.from, b.from) as Recno;
  const to = Math.min(a.to ?? Infinity, b.to ?? Infinity);
  if (from >= to) return null;
  return { from, to: to === Infinity ? null : (to as Recno) };
}
