import type { ConnectionName, Recno } from "@izo/core";

import type { HeldRemoval } from "./hold/removal-hold.ts";
import type { PushWait } from "./push/push-waits.ts";
import type { SyncError } from "./sync-error.ts";

/** When contents come into the cache: at the first open, or at once. */
export type SyncMode = "on-demand" | "replica";

/** Where InterSync stands. */
export interface SyncStatus {
  readonly state: ConnectionName;
  /** Offline because its user says so. */
  readonly isForcedOffline: boolean;
  /** Since when it is in this state, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly mode: SyncMode;
  /** The last record of the server's log that was replayed. */
  readonly recno: Recno;
  /** The last record that the server is known to have. */
  readonly headRecno: Recno;
  /**
   * Milliseconds since all that the server had was last replayed here; 0 while that is so, null where it
   * never was since the mount began.
   */
  readonly lagMs: number | null;
  /** Own records that are not acknowledged. */
  readonly pending: number;
  /** Bytes of the contents among them. */
  readonly pendingBytes: number;
  /** What they wait for: the first of them for each reason, and what holds up all of them first. Empty where none wait. */
  readonly waitsFor: readonly PushWait[];
  /** Replica mode: every content that the tree names is here, as far as is known. */
  readonly isComplete: boolean;
  /** Removals of nearly everything, which wait for somebody's decision; null for none. */
  readonly heldRemoval: HeldRemoval | null;
  /** Programs may change what lies below this path; `/` for all, null for nothing. */
  readonly changesBelow: string | null;
  /** What went wrong last and was not put right since; null for nothing. */
  readonly lastError: SyncError | null;
}
