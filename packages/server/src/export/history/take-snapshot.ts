import { NO_CHECK, type PeerId, type Recno } from "@izo/core";

import { CommittedIndex } from "../../db/committed-index.ts";
import { readHead } from "../../db/index-head.ts";
import { receivedMark } from "../../db/peers.ts";
import { snapshotRows } from "../../db/snapshot-rows.ts";
import type { LogTruncation } from "../log-life/log-truncation.ts";
import type { Snapshot } from "./snapshot.ts";

/** The tree as it is committed now, for one who begins; what follows it stays in the log meanwhile. */
export function takeSnapshot(
  indexPath: string,
  oldest: Recno,
  truncation: LogTruncation,
  peer: PeerId | undefined,
): Snapshot {
  const index = new CommittedIndex(indexPath);
  // A read transaction: all of the snapshot is of one commit, whatever is committed meanwhile.
  index.connection.exec("BEGIN");
  const { position } = readHead(index.connection)!;
  const guard = truncation.guard(position.recno);
  return {
    position,
    oldestRecno: oldest,
    received:
      peer === undefined
        ? { recno: 0 as Recno, check: NO_CHECK }
        : receivedMark(index.connection, peer),
    rows: () => snapshotRows(index.connection, oldest, peer),
    [Symbol.dispose]: () => {
      guard[Symbol.dispose]();
      index[Symbol.dispose]();
    },
  };
}
