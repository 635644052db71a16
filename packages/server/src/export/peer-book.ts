/**
 * What is known of the peers: what they were seen to do, in memory, and what the index keeps of it. How
 * long records are kept depends on it (design, log life), and nothing else does: a crash loses what was
 * seen since the last `save`, so that a record is kept too long, never too short a time for the policy.
 */
import type { PeerId, Recno } from "@izo/core";

import type { CommittedIndex } from "../db/committed-index.ts";
import type { Connection } from "../db/connection.ts";
import { listPeers, notePeerForgotten, notePeerSeen, type PeerRow } from "../db/peers.ts";
import { UnknownPeerError } from "./errors.ts";

type Seen = Pick<PeerRow, "peer" | "host" | "replayedRecno" | "lastSeenMs">;

export class PeerBook {
  readonly #committed: CommittedIndex;
  readonly #connection: Connection;
  readonly #nowMs: () => number;
  readonly #seen = new Map<PeerId, Seen>();
  readonly #unsaved = new Set<PeerId>();

  /** @param connection to write through; only with nothing of a batch open on it */
  constructor(committed: CommittedIndex, connection: Connection, nowMs: () => number) {
    this.#committed = committed;
    this.#connection = connection;
    this.#nowMs = nowMs;
  }

  /** A peer asked for what follows `replayed`; undefined where it did not say. */
  note(peer: PeerId, host: string, replayed: Recno | undefined): void {
    const replayedRecno = replayed ?? this.#replayedBefore(peer);
    this.#seen.set(peer, { peer, host, replayedRecno, lastSeenMs: this.#nowMs() });
    this.#unsaved.add(peer);
  }

  /** All peers that ever were here. */
  list(): PeerRow[] {
    const known = new Map(listPeers(this.#committed.connection).map((row) => [row.peer, row]));
    for (const [peer, seen] of this.#seen) {
      const receivedRecno = known.get(peer)?.receivedRecno ?? (0 as Recno);
      known.set(peer, { receivedRecno, ...seen, forgottenMs: null });
    }
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

  #replayedBefore(peer: PeerId): Recno {
    const known =
      this.#seen.get(peer) ??
      listPeers(this.#committed.connection).find((row) => row.peer === peer);
    return known?.replayedRecno ?? (0 as Recno);
  }
}
