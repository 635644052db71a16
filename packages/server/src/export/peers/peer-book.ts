/**
 * What is known of the peers: what they were seen to do, in memory, and what the index keeps of it. How
 * long records are kept depends on it (design, log life), and nothing else does: a crash loses what was
 * seen since the last `save`, so that a record is kept too long, never too short a time for the policy.
 */
import type { PeerId, Recno } from "@izo/core";

import type { CommittedIndex } from "../../db/committed-index.ts";
import type { Connection } from "../../db/connection.ts";
import { listPeers, notePeerForgotten, notePeerSeen, type PeerRow } from "../../db/peers.ts";
import { UnknownPeerError } from "../errors.ts";

/** A peer had replayed up to here from this time on. */
export interface TrailPoint {
  readonly atMs: number;
  readonly replayedRecno: Recno;
}

/** Points of a trail: of a peer that is never silent they cover an hour. */
const TRAIL_POINTS = 360;
const TRAIL_STEP_MS = 10_000;

type Seen = Pick<PeerRow, "peer" | "host" | "replayedRecno" | "lastSeenMs">;

export class PeerBook {
  readonly #committed: CommittedIndex;
  readonly #connection: Connection;
  readonly #nowMs: () => number;
  readonly #seen = new Map<PeerId, Seen>();
  readonly #unsaved = new Set<PeerId>();

  readonly #trails = new Map<PeerId, TrailPoint[]>();
  readonly #notListed: PeerId;

  /**
   * @param connection to write through; only with nothing of a batch open on it
   * @param notListed a peer of the server's own, which follows nothing
   */
  constructor(
    committed: CommittedIndex,
    connection: Connection,
    nowMs: () => number,
    notListed: PeerId,
  ) {
    this.#notListed = notListed;
    this.#committed = committed;
    this.#connection = connection;
    this.#nowMs = nowMs;
  }

  /** A peer asked for what follows `replayed`; undefined where it did not say. */
  note(peer: PeerId, host: string, replayed: Recno | undefined): void {
    const replayedRecno = replayed ?? this.#replayedBefore(peer);
    this.#seen.set(peer, { peer, host, replayedRecno, lastSeenMs: this.#nowMs() });
    this.#unsaved.add(peer);
    if (replayed !== undefined) this.#extendTrail(peer, replayed);
  }

  /** How far a peer had replayed at which time, since the server was started; oldest first. */
  trail(peer: PeerId): readonly TrailPoint[] {
    return this.#trails.get(peer) ?? [];
  }

  /** All peers that ever were here. */
  list(): PeerRow[] {
    const known = new Map(listPeers(this.#committed.connection).map((row) => [row.peer, row]));
    for (const [peer, seen] of this.#seen) {
      const receivedRecno = known.get(peer)?.receivedRecno ?? (0 as Recno);
      known.set(peer, { receivedRecno, ...seen, forgottenMs: null });
    }
    known.delete(this.#notListed);
    return [...known.values()];
  }

  /** Run with nothing of a batch open. @throws UnknownPeerError */
  forget(peer: PeerId): void {
    this.save();
    if (!notePeerForgotten(this.#connection, peer, this.#nowMs())) throw new UnknownPeerError(peer);
    this.#seen.delete(peer);
  }

  /** Writes what was seen since the last time. Run with nothing of a batch open. */
  save(): void {
    for (const peer of this.#unsaved) notePeerSeen(this.#connection, this.#seen.get(peer)!);
    this.#unsaved.clear();
  }

  #extendTrail(peer: PeerId, replayedRecno: Recno): void {
    const atMs = this.#nowMs();
    const trail = this.#trails.get(peer) ?? [];
    this.#trails.set(peer, trail);
    const last = trail.at(-1);
    if (last?.replayedRecno === replayedRecno) return;
    // Of what changes within a moment the last value counts.
    if (last !== undefined && atMs - last.atMs < TRAIL_STEP_MS) trail.pop();
    trail.push({ atMs: Math.max(atMs, 0), replayedRecno });
    if (trail.length > TRAIL_POINTS) trail.shift();
  }

  #replayedBefore(peer: PeerId): Recno {
    const known =
      this.#seen.get(peer) ??
      listPeers(this.#committed.connection).find((row) => row.peer === peer);
    return known?.replayedRecno ?? (0 as Recno);
  }
}
