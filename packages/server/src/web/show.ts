/** How figures, times and names look on a page. */
import { formatAge, formatBytes, formatCount, type ServerRecord } from "@izo/core";
import { html } from "hono/html";

import type { Html } from "./html.ts";

export { formatAge, formatBytes, formatCount };

/** "1 record", "20 records". */
export function showNumber(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
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
  return agoMs < AGE_MS ? `${formatAge(agoMs)} ago` : exact.slice(0, 10);
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
