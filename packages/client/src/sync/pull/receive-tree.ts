import { setImmediate } from "node:timers/promises";

import {
  putSnapshotRow,
  type Recno,
  type SnapshotRow,
  type SnapshotStart,
  SnapshotTreeCheck,
} from "@izo/core";

import type { SnapshotDatabase } from "../../db/snapshot-database.ts";
import { checkMessage } from "../../remote/check-message.ts";
import { RemoteProtocolError } from "../remote-error.ts";

/** Rows taken in before others get a turn: about 10 ms of work. */
const ROWS_A_TURN = 500;

/**
 * Takes the rows of a snapshot into a database of its own, and returns what they start with. That they
 * are whole and in order is for the remote to check; that they start with their position, and are those
 * of a tree, is checked here.
 *
 * @throws RemoteProtocolError
 */
export async function receiveTree(
  rows: AsyncIterable<SnapshotRow>,
  database: SnapshotDatabase,
  signal: AbortSignal,
): Promise<SnapshotStart> {
  const { state } = database;
  let start: SnapshotStart | undefined;
  let count = 0;
  const check = new SnapshotTreeCheck();
  for await (const row of rows) {
    if (row.kind === "start") start = row;
    checkMessage("the snapshot", () => check.take(row));
    // A client keeps the present only: its tables do not ask since when a row holds.
    putSnapshotRow(row, state, start?.position.recno ?? (0 as Recno));
    count += 1;
    if (count % ROWS_A_TURN === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  if (start === undefined)
    throw new RemoteProtocolError("the snapshot", "it does not say where it stands");
  checkMessage("the snapshot", () => check.end());
  database.complete();
  return start;
}
