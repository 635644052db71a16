import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, it } from "vitest";

import { isRunning } from "./is-running.ts";

/** Has a child, says its number, and never asks about it. Perl is on every Debian. */
const PARENT = `
$| = 1;
my $child = fork() // die "fork: $!";
sleep 60 if $child == 0;
print "$child\\n";
sleep 60;
`;

it("isRunning() tells a process that runs from one that has ended, reaped or not", async () => {
  expect(isRunning(process.pid)).toBe(true);
  const parent = spawn("perl", ["-e", PARENT], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const child = Number(String((await once(parent.stdout, "data"))[0]));
    expect(isRunning(child)).toBe(true);
    process.kill(child, "SIGKILL");
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
