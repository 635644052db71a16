import type { PeerStanding, Recno } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { AppContext } from "../routes/app-environment.ts";
import { activityChart } from "./activity-chart.ts";
import { isHere, leadBlock, leadOf, showLag } from "./fileset-lead.ts";
import { type Html, property } from "./html.ts";
import { lagChart } from "./lag-chart.ts";
import { recentStatus } from "./page-figures.ts";
import { changesLink } from "./page-links.ts";
import { answerPage } from "./page.ts";
import { recordTable } from "./record-table.ts";
import { showAge, formatBytes, formatCount } from "./show.ts";

const LAST_RECORDS = 12;

/** How a fileset is: the sentence, the figures, the day, the peers, and what happened last. */
export function getOverview(c: AppContext) {
  const { fileset } = c.var;
  const from = Math.max(0, fileset.headPosition.recno - LAST_RECORDS) as Recno;
  const records = fileset.recordsBehind(from, LAST_RECORDS).toReversed();
  return answerPage(c, {
    title: fileset.filesetName,
    fileset,
    section: "overview",
    follows: "",
    body: html`<h1>${fileset.filesetName}</h1>
      <div data-live="lead">${leadBlock(leadOf(fileset))}</div>
      <dl class="figures" data-live="figures">${figures(fileset)}</dl>
      <section aria-labelledby="activity">
        <h2 id="activity">Activity</h2>
        <div data-live="activity">${activityChart(fileset)}</div>
      </section>
      <section aria-labelledby="peers">
        <h2 id="peers">Peers</h2>
        <div data-live="peers">${peerTable(fileset)}</div>
      </section>
      <section aria-labelledby="last">
        <h2 id="last">Last changes</h2>
        <div data-live="records">${recordTable(fileset, records, "The last changes")}</div>
        <p><a href="${changesLink(fileset)}">All changes</a></p>
      </section>`,
  });
}

function figures(fileset: Export): Html {
  const status = recentStatus(fileset);
  const { oldContents } = status;
  const watching = {
    inotify: "as they happen",
    scanning: "by scanning",
    off: "not at all",
  }[status.watching];
  return html`${property("Files", withNote(formatCount(status.files), formatBytes(status.bytes)))}
  ${property("Records", withNote(formatCount(status.headRecno), `kept from ${formatCount(status.oldestRecno)}`))}
  ${property("Log", formatBytes(status.logBytes))}
  ${property("Old contents", withNote(formatCount(oldContents.count), formatBytes(oldContents.bytes)))}
  ${property("Direct changes", watching)}`;
}

function withNote(value: string, note: string): Html {
  return html`${value} <small>${note}</small>`;
}

function peerTable(fileset: Export): Html {
  const nowMs = Date.now();
  const peers = fileset
    .peers()
    .filter(({ state }) => state !== "forgotten")
    .toSorted((a, b) => b.lastSeenMs - a.lastSeenMs);
  if (peers.length === 0) {
    return html`<p class="none">
      None yet. On another machine: <code>izo mount URL DIRECTORY</code>
    </p>`;
  }
  return html`<div class="scroll" role="region" aria-label="Peers" tabindex="0">
    <table>
      <caption class="quiet">
        Peers
      </caption>
      <thead>
        <tr>
          <th scope="col">Host</th>
          <th scope="col">State</th>
          <th scope="col">Behind</th>
          <th scope="col">Last hour</th>
          <th scope="col" class="number">Replayed</th>
          <th scope="col">Last seen</th>
        </tr>
      </thead>
      <tbody>
        ${peers.map((peer) => peerRow(fileset, peer, nowMs))}
      </tbody>
    </table>
  </div>`;
}

function peerRow(fileset: Export, peer: PeerStanding, nowMs: number): Html {
  const { state, tone } = describeState(peer, nowMs);
  return html`<tr>
    <th scope="row">
      ${peer.host === "" ? "unnamed" : peer.host.toWellFormed()}
      <code class="detail" title="${peer.peer}">${peer.peer.slice(0, 8)}</code>
    </th>
    <td><span class="state ${tone}">${state}</span></td>
    <td>${showLag(peer)}</td>
    <td>${lagChart(fileset, peer)}</td>
    <td class="number">${formatCount(peer.replayedRecno)}</td>
    <td class="when">${peer.lastSeenMs === 0 ? "not known" : showAge(peer.lastSeenMs, nowMs)}</td>
  </tr>`;
}

function describeState(peer: PeerStanding, nowMs: number): { state: string; tone: string } {
  const here = isHere(peer, nowMs);
  if (peer.state === "current") return { state: here ? "current" : "current, away", tone: "good" };
  if (peer.state === "cut-off") return { state: "needs a snapshot", tone: "attention" };
  return here ? { state: "catching up", tone: "moving" } : { state: "away", tone: "idle" };
}
