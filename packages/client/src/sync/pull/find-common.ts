import { NO_RECNO, type Position, type Recno } from "@izo/core";

import { RemoteProblemError } from "../remote-error.ts";
import type { Remote } from "../remote.ts";

/**
 * The last recno up to which the server's log is known to be the one that was replayed here; 0 where
 * no place is. Two logs that share a position share all before it, so it is found by halving.
 *
 * @param past positions of the log that was replayed, newest first
 */
export async function findCommon(
  past: readonly Position[],
  remote: Remote,
  signal: AbortSignal,
): Promise<Recno> {
  let common: Recno = NO_RECNO;
  let low = 0;
  let high = past.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const position = past[middle]!;
    // oxlint-disable-next-line no-await-in-loop -- each answer decides the next question
    const relation = await relate(position, remote, signal);
    if (relation === "shared") common = position.recno;
    // What was cut off cannot be compared. It is older: whatever is shared lies behind it.
    if (relation === "lost") low = middle + 1;
    else high = middle;
  }
  return common;
}

async function relate(
  position: Position,
  remote: Remote,
  signal: AbortSignal,
): Promise<"shared" | "lost" | "cut off"> {
  try {
    await remote.poll(position, { waitSeconds: 0, limitRecords: 1 }, signal);
    return "shared";
  } catch (error) {
    if (!(error instanceof RemoteProblemError)) throw error;
    if (error.code === "log-diverged") return "lost";
    if (error.code === "log-truncated") return "cut off";
    throw error;
  }
}
