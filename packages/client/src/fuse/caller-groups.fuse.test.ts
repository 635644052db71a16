import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, test } from "vitest";

import { readCallerGroups } from "./caller-groups.ts";

test("readCallerGroups() gives the supplementary groups of a process", async () => {
  const script = ["--regid=7", "--groups=5,6", "sh", "-c", "echo ready; exec sleep 30"];
  const caller = spawn("setpriv", script, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(caller.stdout, "data", { signal: AbortSignal.timeout(10_000) });
    expect(readCallerGroups(caller.pid ?? 0)).toEqual([5, 6]);
  } finally {
    caller.kill("SIGKILL");
  }
});

test("readCallerGroups() gives none for a process that cannot be seen", () => {
  expect(readCallerGroups(0)).toEqual([]);
});
