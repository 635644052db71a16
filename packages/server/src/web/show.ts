/** How figures, times and names look on a page. */
import type { ServerRecord } from "@izo/core";
import { html } from "hono/html";

import type { Html } from "./html.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** "17 B", "1.5 MiB". */
export function showBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** "20,000". */
export function showCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** "1 record", "20 records". */
export function showNumber(count: number, one: string, many = `${one}s`): string {
  return `${showCount(count)} ${count === 1 ? one : many}`;
}

const SPANS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A span of time in its largest unit, rounded down: "12 min". */
export function showSpan(ms: number): string {
  const [unit, unitMs] = SPANS.find(([, length]) => ms >= length) ?? SPANS.at(-1)!;
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

/** Longer ago than this, the date says more. */
const AGE_MS = 30 * 86_400_000;

/** How long ago something was, with the time itself for who wants to know, and for machines. */
export function showAge(atMs: number, nowMs = Date.now()): Html {
  const exact = showTime(atMs);
  if (exact === null) return html`<span>unknown</span>`;
  const iso = new Date(atMs).toISOString();
  return html`<time datetime="${iso}" title="${exact}">${describeAge(nowMs - atMs, exact)}</time>`;
}

function describeAge(agoMs: number, exact: string): string {
  // Clocks of other machines may be a little ahead.
  if (agoMs < -60_000) return exact;
  if (agoMs < 5_000) return "just now";
  return agoMs < AGE_MS ? `${showSpan(agoMs)} ago` : exact.slice(0, 10);
}

/** "2026-11-22 19:15:26 UTC"; null for what is beyond the years of a date. */
export function showTime(atMs: number): string | null {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return null;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** When a record was logged, in ms since 1970. */
export function loggedMs({ logTimeNs }: ServerRecord): number {
  return Number(logTimeNs / 1_000_000n);
}

/** Permission bits as `ls` shows them: "rw-r--r--". */
export function showMode(mode: number): string {
  const bits = "rwxrwxrwx";
  const text = Array.from(bits, (letter, index) => (mode & (0o400 >> index) ? letter : "-"));
  for (const [bit, place, letter] of [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ] as const) {
    if (mode & bit) text[place] = text[place] === "-" ? letter.toUpperCase() : letter;
  }
  return text.join("");
}
