import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, it } from "vitest";

import { isRunning } from "./is-running.ts";

/** Has a child that ends when it is told to, does not ask about it, and goes on. */
const PARENT = `
  sleep 30 & sleeping=$!
  echo $sleeping
  read line
  kill -9 $sleeping
  echo killed
  exec sleep 30
`;

it("isRunning() tells a process that runs from one that has ended, reaped or not", async () => {
  expect(isRunning(process.pid)).toBe(true);
  const parent = spawn("bash", ["-c", PARENT], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const child = Number(String((await once(parent.stdout, "data"))[0]));
    expect(isRunning(child)).toBe(true);
    parent.stdin.write("\n");
    await once(parent.stdout, "data");
    await expect.poll(() => isRunning(child), { timeout: 10_000 }).toBe(false);
    // Still there for whoever asks the kernel only whether there is such a process.
    expect(() => process.kill(child, 0)).not.toThrow();
  } finally {
    const ended = once(parent, "exit");
    parent.kill("SIGKILL");
    await ended;
  }
  expect(isRunning(parent.pid!)).toBe(false);
});
