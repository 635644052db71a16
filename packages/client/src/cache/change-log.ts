import type {
  Actor,
  ClientOperation,
  PeerId,
  PendingLog,
  PendingRecord,
  Position,
  Recno,
  StateReader,
} from "@izo/core";

/** What the file system needs of the client's own log and visible tree. A `LocalReplica` is one. */
export interface ChangeLog {
  readonly peer: PeerId;
  /** The number of the last own record. */
  readonly ownHead: Recno;
  /** The visible tree: authoritative state under the records that wait. To be asked for anew after each of them. */
  readonly visible: StateReader;
  /** How far the server's log was replayed. A power cut can take that back, and own records not. */
  readonly position: Position;
  /** The server's tree, as far as it was replayed. */
  readonly authoritative: StateReader;
  /**
   * Appends a record. When it returns, the record survives the end of this process; a power cut only after
   * {@link syncLog}. `visible`, asked for anew, shows its effect.
   */
  record(operation: ClientOperation, actor: Actor): Recno;
  /**
   * {@link record} of operations of which a crash leaves all or the first ones.
   *
   * @param make gives them; `first` will be the number of the first, the others follow
   */
  recordTogether(make: (first: Recno) => readonly ClientOperation[], actor: Actor): Recno[];
  /** Takes a record back whose operation failed. */
  cancel(recno: Recno): void;
  /** The records that wait, by number. */
  readonly pending: Pick<
    PendingLog,
    "unsentRecord" | "frozenRecord" | "followSent" | "size" | "unsent" | "frozen"
  >;
  /** Own CLOSEs whose content has no hash yet. */
  unsealed(): readonly PendingRecord[];
  /** Resolves when all records made so far survive a power cut. */
  syncLog(): Promise<void>;
}
