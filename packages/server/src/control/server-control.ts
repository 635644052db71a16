import type { ConflictReport, FilesetStatus, PeerId, PeerStanding } from "@izo/core";

import type { Truncated, TruncateRequest } from "../export/export.ts";

/**
 * What only the administrator of a server's machine may ask of it while it runs, through the control
 * socket in its state directory.
 */
export interface ServerControl {
  status(): Promise<FilesetStatus>;
  /** The conflicts that stand, in the order of their paths. */
  conflicts(): Promise<readonly ConflictReport[]>;
  /** Logs the removals that the last scan has held. */
  confirmRemoval(): Promise<void>;
  /** Scans the exported directory again, and holds what is missing still. */
  rescan(): Promise<void>;
  /** Resolves when what programs in the directory have done is logged, but for files too young to be, or too large. */
  settle(): Promise<void>;
  /** The peers that the server has met, those forgotten among them. */
  peers(): Promise<readonly PeerStanding[]>;
  /**
   * Nothing is kept for this peer any more; one that comes back is known again, and takes a snapshot
   * where the log has gone on without it. @throws UnknownPeerError
   */
  forgetPeer(peer: PeerId): Promise<void>;
  /** Cuts the front off the log, or says what would go. */
  truncate(request: TruncateRequest): Promise<Truncated>;
}
