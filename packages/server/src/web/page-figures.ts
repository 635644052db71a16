/** What several parts of a page ask for, remembered for as long as it holds, or is fresh enough to be shown. */
import type { ConflictReport, FilesetStatus, PeerId } from "@izo/core";

import type { Export } from "../export/export.ts";
import { pagePeerOf } from "../export/peers/page-peer.ts";

/** Counting all files takes a while in a large tree, and a page that is followed asks every second. */
const STATUS_MS = 5_000;

const statuses = new WeakMap<
  Export,
  { readonly untilMs: number; readonly status: FilesetStatus }
>();
const conflicts = new WeakMap<
  Export,
  { readonly recno: number; readonly list: readonly ConflictReport[] }
>();

/** The figures of a fileset, a few seconds old at most. */
export function recentStatus(fileset: Export): FilesetStatus {
  const known = statuses.get(fileset);
  const nowMs = performance.now();
  if (known !== undefined && known.untilMs > nowMs) return known.status;
  const status = fileset.status();
  statuses.set(fileset, { untilMs: nowMs + STATUS_MS, status });
  return status;
}

/** The conflicts that stand: a function of the tree, so the same as long as the log stands still. */
export function standingConflicts(fileset: Export): readonly ConflictReport[] {
  const { recno } = fileset.headPosition;
  const known = conflicts.get(fileset);
  if (known?.recno === recno) return known.list;
  const list = fileset.conflicts();
  conflicts.set(fileset, { recno, list });
  return list;
}

/** What people call a peer: the name of its host where that is known. */
export function peerNames(fileset: Export): (peer: PeerId) => string {
  const hosts = new Map(recentStatus(fileset).peers.map(({ peer, host }) => [peer, host]));
  const page = pagePeerOf(fileset.serverPeer);
  return (peer) => {
    if (peer === fileset.serverPeer) return "the server";
    if (peer === page) return "this page";
    return hosts.get(peer) || peer.slice(0, 8);
  };
}
