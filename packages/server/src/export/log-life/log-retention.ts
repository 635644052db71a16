/** How long records are kept in a log. All limits are looked at together; the last one wins. */
export interface LogRetention {
  /** Records younger than this are kept. */
  readonly keepMs: number;
  /** So much of the log's end is kept, however old. */
  readonly keepBytes: number;
  /** A peer holds the records that it has not replayed until it was not seen for so long. */
  readonly peerMs: number;
  /** Beyond this size the oldest records go, whoever lacks them: who comes back takes a snapshot. */
  readonly maxBytes: number;
}

const DAY_MS = 24 * 3_600_000;
const MIB = 1024 * 1024;

/**
 * A week, for those who are away over a holiday with the server's log as it is; a month for a peer that
 * is known, as a laptop that comes back. 16 MiB are about 100,000 records.
 */
export const DEFAULT_LOG_RETENTION: LogRetention = {
  keepMs: 7 * DAY_MS,
  keepBytes: 16 * MIB,
  peerMs: 30 * DAY_MS,
  maxBytes: 1024 * MIB,
};
