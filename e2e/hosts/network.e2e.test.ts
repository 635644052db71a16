import { spawn } from "node:child_process";

import { expect, onTestFinished, test } from "vitest";

import { createNetwork } from "./network.ts";
import { requireHosts } from "./requirements.ts";
import { tryCommand } from "./run-command.ts";

test("hosts reach each other until one is cut off, and again after it heals", async () => {
  await requireHosts();
  await using network = await createNetwork(["a", "b"]);
  const a = network.hosts.get("a")!;
  const b = network.hosts.get("b")!;
  const script = `net.createServer((socket) => socket.end()).listen(1234, "${b.address}")`;
  const [nsenter = "", ...rest] = b.inside([process.execPath, "-e", script]);
  const listening = spawn(nsenter, rest, { stdio: "ignore", timeout: 60_000 });
  onTestFinished(() => void listening.kill());
  expect(await reaches()).toBe(true);
  await b.cut();
  expect(await reaches(1)).toBe(false);
  await b.heal();
  expect(await reaches()).toBe(true);

  /** Tries until it succeeds or the tries are used up. */
  async function reaches(tries = 20): Promise<boolean> {
    const attempt = `
      const socket = net.connect(1234, "${b.address}", () => process.exit(0));
      socket.on("error", () => process.exit(1));
      setTimeout(() => process.exit(1), 300);`;
    for (let left = tries; left > 0; left--) {
      const { status } = await tryCommand(a.inside([process.execPath, "-e", attempt]));
      if (status === 0) return true;
    }
    return false;
  }
});
