import type {
  BlamedEntry,
  HistoryRequest,
  HistoryResponse,
  LogPlace,
  Oid,
  Recno,
  ServerRecord,
  TimeNs,
} from "@izo/core";

import type { PathEntry } from "../tree/path-entry.ts";
import type { Snapshot } from "./snapshot.ts";

/** The tree and its changes as they were: all that the log still holds, and nothing before that. */
export interface ExportHistory {
  /**
   * The record behind which a place is. A time is that of the log; one after the last record is the head.
   *
   * @throws LogTruncatedError when the tree there is not known any more; RecordUnknownError beyond the head
   */
  recnoOf(place: LogPlace): Recno;
  /** What stood at a path behind a record. Null where nothing did. */
  lookUp(path: string, at: Recno): PathEntry | null;
  /**
   * The tree behind a record, without tombstones; with `against` only what differs from the tree behind
   * that one, and the directories above. Both at the same place if asked for with the two swapped.
   */
  tree(at: Recno, against?: Recno): Snapshot;
  /** A record; undefined where it was cut off the log, or is not in it yet. */
  record(recno: Recno): ServerRecord | undefined;
  /** The records about an object under all ids that it had, or about all that ever had a path. */
  records(request: HistoryRequest): HistoryResponse;
  /** The last records about an object under all ids that it had, the latest first. */
  lastRecords(oid: Oid, limit: number): readonly ServerRecord[];
  /** The last record that was logged by a time; one before the oldest where none of them is left. */
  lastBy(timeNs: TimeNs): Recno;
  /** The last change of each entry of a directory, as it was behind a record; null where there was none. */
  blame(path: string, at: Recno): readonly BlamedEntry[] | null;
}
