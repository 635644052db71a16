import type { FilesetId, PeerId, Recno } from "../kml/identity.ts";
import type { Position } from "../kml/position.ts";
import type { PolicyRule } from "../reintegrate/conflict-policy.ts";

/** What a fileset is and where its log stands. */
export interface FilesetProfile {
  readonly protocol: number;
  readonly id: FilesetId;
  readonly name: string;
  /** The peer that authors the server's own records. */
  readonly serverPeer: PeerId;
  /** Durable head of the log. */
  readonly head: Position;
  /** The first record that can still be read; head + 1 while there is none. */
  readonly oldestRecno: Recno;
  readonly limits: ProfileLimits;
  /** By which this server judges what is in conflict; what is built in stands behind them. */
  readonly conflictPolicies: readonly PolicyRule[];
  /** Removals of more than so many percent of the names have to be confirmed; with 100 none has. */
  readonly heldRemovalPercent: number;
  /** Whoever asks may change what lies below this path: `/` for all of it, null for nothing. */
  readonly changesBelow: string | null;
  /** Names of what this server can do beyond version 1 of the protocol; unknown ones are ignored. */
  readonly features: readonly string[];
}

/** What this server accepts in one message; see `limits.ts` for what the words mean. */
export interface ProfileLimits {
  readonly inlineBytes: number;
  readonly pushRecords: number;
  readonly pushBytes: number;
  readonly pollRecords: number;
  readonly pollWaitSeconds: number;
  readonly packRecnos: number;
}
