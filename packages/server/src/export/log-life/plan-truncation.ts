import type { PeerId, Recno, SegmentInfo } from "@izo/core";

/** What may go, apart from what somebody still needs. */
export interface TruncationLimits {
  /** Records younger than this stay. */
  readonly keepMs: number;
  /** So much of the log's end stays. */
  readonly keepBytes: number;
  /** Beyond this size records go although peers lack them. */
  readonly maxBytes: number;
  /** Records from this one on stay, whatever their age; null for no such place. */
  readonly before: Recno | null;
}

/** A peer for which records are kept. */
export interface WaitingPeer {
  readonly peer: PeerId;
  readonly replayedRecno: Recno;
}

/** What the log is and who reads it. */
export interface TruncationFacts {
  readonly segments: readonly SegmentInfo[];
  /** Age of a segment's last record. Asked only where it decides. */
  readonly ageMsOf: (segment: SegmentInfo) => number;
  readonly waiting: readonly WaitingPeer[];
  /** Recnos of the snapshots that are being sent: the records behind them stay. */
  readonly snapshots: readonly Recno[];
}

export interface TruncationPlan {
  /** The first record that stays; all before it go. */
  readonly oldestRecno: Recno;
  readonly removedBytes: number;
  /** The peer without which more would go; null for none. */
  readonly heldBy: PeerId | null;
}

/**
 * How much of the front of a log may go: whole sealed segments, as many as all limits allow.
 *
 * No limit looks beyond a segment that has to stay, because a log has no gaps. A snapshot that is being
 * sent is stronger than any limit; a peer is weaker than the size.
 */
export function planTruncation(facts: TruncationFacts, limits: TruncationLimits): TruncationPlan {
  const { segments, ageMsOf, waiting, snapshots } = facts;
  const snapshotRecno = Math.min(...snapshots);
  let leftBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let oldestRecno = segments[0]!.first;
  let removedBytes = 0;
  let heldBy: PeerId | null = null;
  for (const segment of segments) {
    const { last, sizeBytes, isSealed } = segment;
    if (!isSealed || last > snapshotRecno) break;
    if (limits.before !== null && last >= limits.before) break;
    if (leftBytes <= limits.maxBytes) {
      if (leftBytes - sizeBytes < limits.keepBytes || ageMsOf(segment) < limits.keepMs) break;
      heldBy = waiting.find(({ replayedRecno }) => replayedRecno < last)?.peer ?? null;
      if (heldBy !== null) break;
    }
    leftBytes -= sizeBytes;
    removedBytes += sizeBytes;
    oldestRecno = (last + 1) as Recno;
  }
  return { oldestRecno, removedBytes, heldBy };
}
