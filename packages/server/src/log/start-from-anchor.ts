import { IzoError, isSamePosition, type KmlReader, type Recno } from "@izo/core";

import type { Connection } from "../db/connection.ts";
import { moveHead, restartHead } from "../db/index-head.ts";
import { SqlState } from "../db/sql-state.ts";
import { type Anchor, listAnchors, readAnchor } from "./anchor-store.ts";
import { loadAnchor } from "./load-anchor.ts";

/** The log has lost its front, and the tree where it begins is not there. */
export class AnchorMissingError extends IzoError {
  constructor(dir: string, oldest: Recno) {
    super(
      "anchor-missing",
      `Cannot replay the log: it begins at record ${oldest}, and "${dir}" does not hold the tree before it`,
      { dir, oldest },
    );
  }
}

/**
 * The anchor that a truncated log builds on; undefined where the log goes back to its first record.
 *
 * @throws AnchorMissingError
 */
export async function findAnchor(dir: string, log: KmlReader): Promise<Anchor | undefined> {
  if (log.oldest === 1) return undefined;
  const anchor = (await listAnchors(dir)).find(
    ({ recno }) => recno >= log.oldest - 1 && recno <= log.lastRecno,
  );
  if (anchor === undefined) throw new AnchorMissingError(dir, log.oldest);
  return anchor;
}

/**
 * Brings a new index to where a truncated log begins; the rest of it is replayed. A log that goes back
 * to its first record needs nothing.
 *
 * A crash meanwhile leaves the index as new as it was, and the same is done again.
 *
 * @throws AnchorMissingError, AnchorDamagedError
 */
export async function startFromAnchor(
  connection: Connection,
  dir: string,
  log: KmlReader,
): Promise<void> {
  const anchor = await findAnchor(dir, log);
  if (anchor === undefined) return;
  const rows = await readAnchor(anchor);
  connection.exec("BEGIN IMMEDIATE");
  restartHead(connection);
  const state = new SqlState(connection);
  const position = await loadAnchor(rows, state);
  if (!isSamePosition(position, log.positionAt(position.recno))) {
    throw new AnchorMissingError(dir, log.oldest);
  }
  // Its log time went with its record; that of the record behind it is taken up with it.
  moveHead(connection, state, position, 0n);
  connection.exec("COMMIT");
}
