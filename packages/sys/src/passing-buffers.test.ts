import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";

import { expect, test } from "vitest";

import { notePassed } from "./passing-buffers.ts";

const MIB = 1024 * 1024;

test("notePassed() has young objects collected for every 4 MiB, and gives nobody else the means", async () => {
  let minor = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR) minor += 1;
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  for (let index = 0; index < 160; index += 1) notePassed(MIB);
  await expect.poll(() => minor).toBeGreaterThanOrEqual(40);
  observer.disconnect();
  expect("gc" in globalThis).toBe(false);
});
