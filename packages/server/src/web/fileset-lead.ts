import { type PeerStanding } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { Html } from "./html.ts";
import { recentStatus } from "./page-figures.ts";
import { pagePath } from "./page-routes.ts";
import { formatCount, showNumber, formatAge } from "./show.ts";

/** A peer that asks at least every minute is here; polls wait for less. */
const HERE_MS = 120_000;

/** The one sentence that says how a fileset is, and what waits for somebody. */
export interface Lead {
  readonly tone: "good" | "moving" | "attention";
  readonly sentence: string;
  /** What a person has to do; none mostly. */
  readonly notes: readonly Html[];
}

export function leadOf(fileset: Export, nowMs = Date.now()): Lead {
  const notes = notesOf(fileset);
  const { heldRemoval, problems } = recentStatus(fileset);
  const isInTrouble = heldRemoval !== null || problems.length > 0;
  const peers = fileset.peers().filter(({ state }) => state !== "forgotten");
  const { sentence, isMoving } = describePeers(peers, nowMs);
  return {
    tone: isInTrouble ? "attention" : isMoving || notes.length > 0 ? "moving" : "good",
    sentence,
    notes,
  };
}

/** Tells whether a peer asked lately. */
export function isHere({ lastSeenMs }: PeerStanding, nowMs: number): boolean {
  return nowMs - lastSeenMs < HERE_MS;
}

function describePeers(
  peers: readonly PeerStanding[],
  nowMs: number,
): { sentence: string; isMoving: boolean } {
  if (peers.length === 0) return { sentence: "No peer has been here yet.", isMoving: false };
  const late = peers.filter(({ lagRecords }) => lagRecords > 0);
  if (late.length === 0) {
    const who =
      peers.length === 1 ? "The one peer has" : `All ${formatCount(peers.length)} peers have`;
    return { sentence: `${who} everything.`, isMoving: false };
  }
  const moving = late.filter((peer) => isHere(peer, nowMs));
  const away = late.length - moving.length;
  const current = peers.length - late.length;
  const most = Math.max(...moving.map(({ lagRecords }) => lagRecords));
  const parts = [
    `${formatCount(current)} of ${showNumber(peers.length, "peer")} ${current === 1 ? "has" : "have"} everything`,
    ...(moving.length === 0
      ? []
      : [
          `${formatCount(moving.length)} ${moving.length === 1 ? "is" : "are"} catching up (${showNumber(most, "record")})`,
        ]),
    ...(away === 0 ? [] : [`${formatCount(away)} ${away === 1 ? "is" : "are"} away`]),
  ];
  return { sentence: `${parts.join(", ")}.`, isMoving: moving.length > 0 };
}

function notesOf(fileset: Export): Html[] {
  const { heldRemoval, problems, watching } = recentStatus(fileset);
  const conflicts = fileset.countConflicts();
  const notes: Html[] = [];
  if (conflicts > 0) {
    const href = pagePath("conflicts", { fileset: fileset.filesetName });
    const text = `${showNumber(conflicts, "conflict")} ${conflicts === 1 ? "waits" : "wait"} for a decision`;
    notes.push(html`<a href="${href}">${text}</a>`);
  }
  if (heldRemoval !== null) {
    const { removed, objects } = heldRemoval;
    notes.push(
      html`${formatCount(removed)} of ${formatCount(objects)} files are gone from the directory, and
        nothing was logged of it before somebody says that it is meant: <code>izo held</code> on the
        server's machine`,
    );
  }
  if (watching === "scanning") {
    notes.push(
      html`Changes made on the server itself are found by scanning, every few seconds: there are
        more directories than <code>fs.inotify.max_user_watches</code> allows`,
    );
  }
  for (const { path, message } of problems.slice(0, 8)) {
    notes.push(html`<code>${path.toWellFormed()}</code>: ${message}`);
  }
  if (problems.length > 8) notes.push(html`${showNumber(problems.length - 8, "more path")}`);
  return notes;
}

/** The sentence as it stands on top of a page. */
export function leadBlock({ tone, sentence, notes }: Lead): Html {
  return html`<div class="lead ${tone}">
    <p>${sentence}</p>
    ${
      notes.length === 0
        ? ""
        : html`<ul>
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
    }
  </div>`;
}

/** How long the first record that a peer lacks has been waiting for it. */
export function showLag({ lagRecords, lagMs }: PeerStanding): string {
  if (lagRecords === 0) return "none";
  return lagMs === null
    ? `${showNumber(lagRecords, "record")}, cut off`
    : `${showNumber(lagRecords, "record")}, ${formatAge(lagMs)}`;
}
