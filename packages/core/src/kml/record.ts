import type { Recno, TimeNs } from "./identity.ts";
import type { Operation, OriginId, ReplicatedOperation } from "./operation.ts";

/** Who asked for an operation: credentials of the calling process; its command name at best effort. */
export interface Actor {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly command: string;
}

/** The author's record, as this log's record traces it (design P1, P2). */
export interface Origin extends OriginId {
  /**
   * First 16 hexadecimal digits of the SHA-256 of the record as its author sent it. It tells a cloned
   * peer, which uses the same numbers, from a resend. A server's own records have sixteen zeros.
   */
  readonly check: string;
}

/** One record of a log: readable and replayable with no look-up in a live tree (design D4). */
export interface KmlRecord<Op extends Operation = Operation> {
  readonly recno: Recno;
  /** The author's clock when it happened; information, decides nothing. */
  readonly authorTimeNs: TimeNs;
  /** The later of the logging peer's now and the previous record's: never goes back within a log. */
  readonly logTimeNs: TimeNs;
  readonly origin: Origin;
  readonly actor: Actor;
  readonly operation: Op;
}

/** A record of the server's KML. */
export type ServerRecord = KmlRecord<ReplicatedOperation>;

/** The check of records that a server authored itself. */
export const NO_CHECK = "0000000000000000";
