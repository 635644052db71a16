import {
  loadPending,
  type PendingLog,
  type Position,
  type Recno,
  Replica,
  startPosition,
} from "@izo/core";

import type { ClientIndex } from "../../db/open-index.ts";
import { SqlState } from "../../db/sql-state.ts";
import { NOTHING_ACKNOWLEDGED, type StandingTable } from "../../db/standing.ts";
import type { OwnLog } from "../../log/own-log.ts";
import type { LocalReplicaOptions } from "./local-replica.ts";

/** Where a client's state is on disk. */
export interface ReplicaSources {
  readonly options: LocalReplicaOptions;
  readonly log: OwnLog;
  readonly index: ClientIndex;
  readonly standing: StandingTable;
}

/** A client's state, read back from own log and index. Another takes its place as a whole. */
export interface LoadedReplica {
  /** The server's tree as of the position. */
  readonly state: SqlState;
  readonly pending: PendingLog;
  readonly replica: Replica;
  position: Position;
  /** Whether a tree was ever received. */
  readonly hasTree: boolean;
  /** Own CLOSEs without a hash. */
  readonly open: Set<Recno>;
}

/** Reads back what own log and index say. */
export function loadReplica({
  options,
  log,
  index,
  standing: table,
}: ReplicaSources): LoadedReplica {
  const { fileset, hash } = options;
  const state = new SqlState(index.sqlite, log.peer);
  const standing = table.read(log.peer);
  const position = standing?.position ?? startPosition(fileset, hash);
  const acknowledged = standing?.acknowledged ?? NOTHING_ACKNOWLEDGED;
  const facts = { acknowledgedUpTo: acknowledged.recno, hash };
  const { pending } = loadPending(log.peer, log.read(), state, facts);
  const replica = new Replica(state, position.recno, pending, acknowledged);
  const open = new Set(
    pending.unsent
      .filter(({ operation }) => operation.opcode === "CLOSE" && operation.sha256 === null)
      .map(({ recno }) => recno),
  );
  return { state, pending, replica, position, hasTree: standing !== undefined, open };
}
