import type { HttpHistory } from "@izo/client";
import {
  isAbout,
  MAX_HISTORY_RECORDS,
  type Oid,
  type Operation,
  type Recno,
  type ServerRecord,
} from "@izo/core";

/** All that ever had a path: its records, across renames, and how to know more of them. */
export interface PathHistory {
  /** A directory's own records are not all that `izo log` prints of it: what is in it belongs there too. */
  readonly hasDirectory: boolean;
  /** The records about those objects, in the order of the log. */
  records(): AsyncIterable<ServerRecord>;
  /** Tells whether an operation is about the path, below it, or about one of those objects elsewhere. */
  concerns(operation: Operation): boolean;
}

/** Asks a server who ever had a path. */
export async function findPathHistory(
  history: HttpHistory,
  path: string,
  after: Recno,
  signal: AbortSignal,
): Promise<PathHistory> {
  const ask = (behind: Recno) =>
    history.records({ about: { path }, after: behind, limit: MAX_HISTORY_RECORDS }, signal);
  const first = await ask(after);
  const oids = new Set<string>(first.holders.map(({ oid }) => oid));
  return {
    hasDirectory: path === "/" || first.holders.some(({ kind }) => kind === "directory"),
    async *records() {
      for (let page = first; ;) {
        yield* page.records;
        if (page.next === null) return;
        // oxlint-disable-next-line no-await-in-loop -- each page says where the next begins
        page = await ask(page.next);
      }
    },
    concerns: (operation) =>
      isAbout(operation, path) || namedObjects(operation).some((oid) => oids.has(oid)),
  };
}

function namedObjects(operation: Operation): Oid[] {
  const own = "oid" in operation ? [operation.oid] : [];
  const victim = operation.opcode === "RENAME" ? operation.victim : null;
  return victim === null ? own : [...own, victim.oid];
}
