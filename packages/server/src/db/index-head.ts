import {
  NO_RECNO,
  rootObject,
  startPosition,
  type FilesetId,
  type Position,
  type Recno,
  type Sha256,
  type TimeNs,
} from "@izo/core";

import { bytesOf, hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { SqlState } from "./sql-state.ts";

/** Where an index stands in the log that it describes. */
export interface IndexHead {
  readonly position: Position;
  /** Log time of the last record: the next one is never earlier (design D4). */
  readonly logTimeNs: TimeNs;
  readonly fileset: FilesetId;
}

interface HeadRow {
  readonly recno: bigint;
  readonly hash: Buffer;
  readonly log_time_ns: bigint;
  readonly fileset: Buffer;
}

/** The head as this connection sees it; undefined in an index that was just made. */
export function readHead(connection: Connection): IndexHead | undefined {
  const row = connection
    .prepare<[], HeadRow>("SELECT recno, hash, log_time_ns, fileset FROM head WHERE id = 1")
    .safeIntegers()
    .get();
  if (row === undefined) return undefined;
  return {
    position: { recno: Number(row.recno) as Recno, hash: hexOf(row.hash) as Sha256 },
    logTimeNs: row.log_time_ns,
    fileset: hexOf(row.fileset) as FilesetId,
  };
}

/** Puts an empty index before the first record of its log, where only the root is. */
export function startHead(connection: Connection, fileset: FilesetId): void {
  const { hash } = startPosition(fileset);
  connection
    .prepare("INSERT INTO head (id, recno, hash, log_time_ns, fileset) VALUES (1, ?, ?, 0, ?)")
    .run(NO_RECNO, bytesOf(hash), bytesOf(fileset));
  new SqlState(connection).putObject(rootObject(), NO_RECNO);
}

/** Takes everything out of an index that holds only the root, for a tree that brings its own. */
export function restartHead(connection: Connection): void {
  connection.exec("DELETE FROM objects");
}

/** Moves the head, in the transaction of `state` that replayed the records up to it. */
export function moveHead(
  connection: Connection,
  state: SqlState,
  position: Position,
  logTimeNs: TimeNs,
): void {
  const { files, bytes } = state.takeFileChange();
  connection
    .prepare(
      "UPDATE head SET recno = ?, hash = ?, log_time_ns = ?, files = files + ?, bytes = bytes + ? WHERE id = 1",
    )
    .run(position.recno, bytesOf(position.hash), logTimeNs, files, bytes);
}
