import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { KernelClock } from "./kernel-clock.ts";

test("KernelClock never says a time before one that the kernel gave, nor after one that it gives next", () => {
  const directory = mkdtempSync(join(tmpdir(), "izo-clock-"));
  try {
    using clock = new KernelClock(directory);
    expect(readdirSync(directory)).toEqual([]);
    const mtimeOf = (name: string): bigint => {
      const path = join(directory, name);
      writeFileSync(path, name);
      return statSync(path, { bigint: true }).mtimeNs;
    };
    for (let round = 0; round < 200; round += 1) {
      const before = mtimeOf("before");
      const now = clock.nowNs();
      expect([before <= now, now <= mtimeOf("after")]).toEqual([true, true]);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
