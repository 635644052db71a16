import { expect, test } from "vitest";

import { formatProgress, ProgressBar } from "./progress-bar.ts";

const CLEAR_LINE = "\r\u001b[K";

test("formatProgress() shows the share, never more than all", () => {
  const half = formatProgress("Scanning", { done: 10, total: 20, unit: "files", detail: "1 KiB" });
  expect(half).toBe(`Scanning  ${"█".repeat(12)}${"░".repeat(12)}   50 %  10 of 20 files  1 KiB`);
  const beyond = formatProgress("Scanning", { done: 21, total: 20, unit: "files" });
  expect(beyond).toContain("100 %  21 of 21 files");
});

test("formatProgress() counts where the total is not known", () => {
  expect(formatProgress("Scanning", { done: 1200, total: undefined, unit: "files" })).toBe(
    "Scanning  1,200 files",
  );
});

test("ProgressBar redraws at most every 100 ms, fits the line and clears it at the end", () => {
  const written: string[] = [];
  let nowMs = 0;
  {
    using bar = new ProgressBar(
      "Scan",
      { columns: 12, write: (text) => written.push(text) },
      () => nowMs,
    );
    for (nowMs = 0; nowMs < 250; nowMs += 10)
      bar.update({ done: nowMs, total: 250, unit: "files" });
  }
  expect(written).toHaveLength(4);
  expect(written[0]?.replace(CLEAR_LINE, "")).toMatch(/^Scan {2}.{5}$/);
  expect(written.at(-1)).toBe(CLEAR_LINE);
});
