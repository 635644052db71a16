import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { Html } from "./html.ts";
import { recnoAt } from "./log-times.ts";
import { formatCount, showNumber } from "./show.ts";

const STEP_MS = 15 * 60_000;
const STEPS = 96;
const HOUR_MS = 3_600_000;

const WIDTH = 960;
const HEIGHT = 132;
const PLOT = { top: 14, bottom: 108 };
const BAR = WIDTH / STEPS;

interface Step {
  readonly fromMs: number;
  readonly records: number;
}

/** How many records were logged in each quarter of an hour of the last day; the last one is not over. */
export function activityOf(fileset: Export, nowMs = Date.now()): Step[] {
  const end = Math.floor(nowMs / STEP_MS) * STEP_MS;
  const steps: Step[] = [];
  let before = recnoAt(fileset, end - (STEPS - 1) * STEP_MS);
  for (let index = STEPS - 1; index >= 0; index -= 1) {
    const fromMs = end - index * STEP_MS;
    const behind = recnoAt(fileset, index === 0 ? Infinity : fromMs + STEP_MS);
    steps.push({ fromMs, records: behind - before });
    before = behind;
  }
  return steps;
}

/** The day as bars, and the same as a table for those who do not look at pictures. */
export function activityChart(fileset: Export): Html {
  const steps = activityOf(fileset);
  const total = steps.reduce((sum, { records }) => sum + records, 0);
  const busiest = steps.reduce((a, b) => (b.records > a.records ? b : a));
  const summary =
    total === 0
      ? "No record was logged in the last 24 hours."
      : `${showNumber(total, "record")} in the last 24 hours; the busiest quarter of an hour, with ${formatCount(busiest.records)}, began at ${clock(busiest.fromMs)} UTC.`;
  return html`<figure class="chart">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${summary}">
      <line class="axis" x1="0" x2="${WIDTH}" y1="${PLOT.bottom}" y2="${PLOT.bottom}" />
      ${
        busiest.records === 0
          ? ""
          : html`<line class="grid" x1="0" x2="${WIDTH}" y1="${PLOT.top}" y2="${PLOT.top}" />
              <text class="label" x="0" y="${PLOT.top - 4}">${formatCount(busiest.records)}</text>`
      }
      ${steps.map((step, index) => bar(step, index, busiest.records))}
      ${steps.map(({ fromMs }, index) =>
        fromMs % (6 * HOUR_MS) === 0
          ? html`<text class="label hour" x="${index * BAR}" y="${HEIGHT - 6}">
              ${clock(fromMs)}
            </text>`
          : "",
      )}
    </svg>
    <figcaption>${summary}</figcaption>
    ${total === 0 ? "" : hourly(steps)}
  </figure>`;
}

function bar({ fromMs, records }: Step, index: number, most: number): Html | string {
  if (records === 0) return "";
  const height = Math.max(2, ((PLOT.bottom - PLOT.top) * records) / most);
  const y = (PLOT.bottom - height).toFixed(1);
  return html`<rect
    class="bar"
    x="${(index * BAR + 1).toFixed(1)}"
    y="${y}"
    width="${(BAR - 2).toFixed(1)}"
    height="${height.toFixed(1)}"
    rx="1"
  >
    <title>${clock(fromMs)} UTC: ${showNumber(records, "record")}</title>
  </rect>`;
}

function hourly(steps: readonly Step[]): Html {
  const hours = new Map<number, number>();
  for (const { fromMs, records } of steps) {
    const hour = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
    hours.set(hour, (hours.get(hour) ?? 0) + records);
  }
  const rows = [...hours].filter(([, records]) => records > 0);
  return html`<details>
    <summary>The same as a table</summary>
    <table>
      <thead>
        <tr>
          <th scope="col">Hour (UTC)</th>
          <th scope="col" class="number">Records</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([hour, records]) =>
            html`<tr>
              <th scope="row">${clock(hour)}</th>
              <td class="number">${formatCount(records)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}
