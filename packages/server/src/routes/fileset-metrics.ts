import type { FilesetStatus, Labels, MetricFamily, PeerStanding } from "@izo/core";

import type { Export } from "../export/export.ts";

/** What one look at a fileset gives. */
interface Look {
  readonly labels: Labels;
  readonly status: FilesetStatus;
  readonly conflicts: number;
  readonly peers: readonly PeerStanding[];
}

/** How filesets and their peers are, as gauges. */
export function filesetFamilies(filesets: readonly Export[]): MetricFamily[] {
  const looks = filesets.map((fileset): Look => ({
    labels: { fileset: fileset.filesetName },
    status: fileset.status(),
    conflicts: fileset.countConflicts(),
    peers: fileset.peers().filter(({ state }) => state !== "forgotten"),
  }));
  const gauge = (name: string, help: string, value: (look: Look) => number): MetricFamily => ({
    name,
    type: "gauge",
    help,
    samples: looks.map((look) => ({ labels: look.labels, value: value(look) })),
  });
  const ofPeers = (
    name: string,
    help: string,
    value: (peer: PeerStanding) => number | null,
  ): MetricFamily => ({
    name,
    type: "gauge",
    help,
    samples: looks.flatMap(({ labels, peers }) =>
      peers.flatMap((peer) => {
        const known = value(peer);
        const names = { ...labels, peer: peer.peer, host: peer.host };
        return known === null ? [] : [{ labels: names, value: known }];
      }),
    ),
  });
  return [
    gauge("izo_head_recno", "Number of the last durable record", (l) => l.status.headRecno),
    gauge("izo_oldest_recno", "Number of the oldest record kept", (l) => l.status.oldestRecno),
    gauge("izo_log_size_bytes", "Size of the log on disk", (l) => l.status.logBytes),
    gauge("izo_files", "Regular files in the tree", (l) => l.status.files),
    gauge("izo_files_size_bytes", "Sum of their sizes", (l) => l.status.bytes),
    gauge("izo_old_contents", "Old contents kept", (l) => l.status.oldContents.count),
    gauge(
      "izo_old_contents_size_bytes",
      "Sum of the sizes of old contents",
      (l) => l.status.oldContents.bytes,
    ),
    gauge("izo_conflicts", "Conflicts that wait for a decision", (l) => l.conflicts),
    gauge("izo_problems", "Paths that could not be done", (l) => l.status.problems.length),
    gauge(
      "izo_held_removals",
      "Removals that wait for a confirmation",
      (l) => l.status.heldRemoval?.removed ?? 0,
    ),
    ofPeers("izo_peer_lag_records", "Records that a peer has not replayed", (p) => p.lagRecords),
    ofPeers(
      "izo_peer_lag_seconds",
      "Age of the first record that a peer has not replayed; missing where that was cut off",
      (p) => (p.lagMs === null ? null : p.lagMs / 1000),
    ),
    ofPeers("izo_peer_last_seen_timestamp_seconds", "When a peer last asked for something", (p) =>
      p.lastSeenMs === 0 ? null : p.lastSeenMs / 1000,
    ),
  ];
}
