import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { CpuLatencyRequest } from "./cpu-latency.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test("CpuLatencyRequest writes what the kernel reads: 32 bits, and 2,000 s for no request", () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "device");
  writeFileSync(path, "");
  const written = (): number => new Int32Array(Uint8Array.from(readFileSync(path)).buffer)[0]!;
  using request = new CpuLatencyRequest(path);
  expect(readFileSync(path)).toHaveLength(0);
  request.set(0);
  expect(written()).toBe(0);
  request.set(null);
  expect(written()).toBe(2_000_000_000);
});

test("CpuLatencyRequest says ENOENT where there is no such device", () => {
  using directory = temporaryDirectory();
  const open = (): CpuLatencyRequest => new CpuLatencyRequest(join(directory.path, "none"));
  expect(open).toThrow(expect.objectContaining({ code: "ENOENT" }));
});
