import type { PeerStanding } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { TrailPoint } from "../export/peers/peer-book.ts";
import type { Html } from "./html.ts";
import { recnoAt } from "./log-times.ts";
import { showNumber } from "./show.ts";

const STEP_MS = 60_000;
const STEPS = 60;
const WIDTH = 120;
const HEIGHT = 24;

/**
 * How many records a peer lacked at the end of each minute of the last hour, and lacks now; null where
 * nothing is known of it yet. Where it was follows from its polls, where the log was from the log's times.
 */
export function lagOf(
  fileset: Export,
  { lagRecords }: PeerStanding,
  trail: readonly TrailPoint[],
  nowMs = Date.now(),
): (number | null)[] {
  const end = Math.floor(nowMs / STEP_MS) * STEP_MS;
  const lags = Array.from({ length: STEPS }, (_, index) => {
    const atMs = end - (STEPS - 1 - index) * STEP_MS;
    const place = trail.findLast((point) => point.atMs <= atMs);
    if (place === undefined) return null;
    return Math.max(0, recnoAt(fileset, atMs) - place.replayedRecno);
  });
  return [...lags, lagRecords];
}

/** The last hour of a peer as a line, small enough for a table. */
export function lagChart(fileset: Export, peer: PeerStanding): Html {
  const lags = lagOf(fileset, peer, fileset.peerTrail(peer.peer));
  const most = Math.max(...lags.map((lag) => lag ?? 0));
  const label =
    most === 0
      ? "nothing lacked in the last hour"
      : `at most ${showNumber(most, "record")} behind in the last hour`;
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
    <title>${label}</title>
    <line class="axis" x1="0" x2="${WIDTH}" y1="${HEIGHT - 1}" y2="${HEIGHT - 1}" />
    <path class="line" d="${pathOf(lags, Math.max(most, 1))}" />
  </svg>`;
}

function pathOf(lags: readonly (number | null)[], most: number): string {
  let path = "";
  let isDrawn = false;
  for (const [index, lag] of lags.entries()) {
    if (lag === null) continue;
    const x = ((index / (lags.length - 1)) * WIDTH).toFixed(1);
    const y = (HEIGHT - 1 - (lag / most) * (HEIGHT - 4)).toFixed(1);
    path += `${isDrawn ? "L" : "M"}${x} ${y}`;
    isDrawn = true;
  }
  return path;
}
