import { computeOriginCheck, type Recno } from "@izo/core";

import { receivedMark } from "../../db/peers.ts";
import type { Keeper } from "../keeper.ts";
import { sha256 } from "../open-fileset.ts";
import { pagePeerOf } from "../peers/page-peer.ts";
import { CannotResolveError, type ConflictResolution, planResolution } from "./plan-resolution.ts";

/** What the log says of who decided. */
const COMMAND = "izo web page";

/**
 * Pushes what {@link planResolution} plans as a client would, in the name of the page's own peer. A crash
 * before the answer leaves all of it done, or none, or the chosen content with the copy still beside it:
 * then the conflict stands, and is decided again.
 *
 * @throws CannotResolveError, also where something came between the look and the log: both are kept then
 */
export async function resolveConflict(
  keeper: Keeper,
  resolution: ConflictResolution,
): Promise<void> {
  const { committed, nowNs, peer: server } = keeper.fileset;
  const operations = planResolution(resolution, committed.state, nowNs());
  const peer = pagePeerOf(server);
  const received = receivedMark(committed.connection, peer);
  const actor = { uid: process.getuid!(), gid: process.getgid!(), groups: [], command: COMMAND };
  const records = operations.map((operation, index) => {
    const origin = { peer, recno: (received.recno + 1 + index) as Recno };
    const sent = { authorTimeNs: nowNs(), actor, operation };
    const check = computeOriginCheck({ ...sent, origin }, sha256);
    return { ...sent, origin: { ...origin, check } };
  });
  const results = await keeper.push({ peer, host: "web", received, records });
  const failed = results.find(({ verdict }) => verdict !== "applied" && verdict !== "merged");
  if (failed === undefined) return;
  const reason = `record ${failed.trace} says "${failed.verdict}${failed.reason === null ? "" : `, ${failed.reason}`}": somebody changed it meanwhile`;
  throw new CannotResolveError(resolution.copy, reason);
}
