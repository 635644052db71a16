import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

import { IzoError } from "@izo/core";

/** Runs a command of this very program in a process of its own and gives what it printed. */
export async function runIzo(args: readonly string[]): Promise<string> {
  const child = spawnIzo(args);
  const [output, errors, [status]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, "exit"),
  ]);
  if (status !== 0) throw failure(args, errors);
  return output;
}

/** A server in a process of its own. */
export interface ChildServer extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
}

/** Starts `izo serve DIR` on a free port of this machine; resolves when it accepts requests. */
export async function startChildServer(directory: string): Promise<ChildServer> {
  const args = ["serve", directory, "--listen", "127.0.0.1:0", "--json"];
  const child = spawnIzo(args);
  const errors = text(child.stderr!);
  const lines = createInterface(child.stdout!);
  const ended = once(child, "exit");
  const [line] = await Promise.race([
    once(lines, "line"),
    ended.then(async () => {
      throw failure(args, await errors);
    }),
  ]);
  const { url } = JSON.parse(String(line)) as { url: string };
  return {
    url,
    process: child,
    async [Symbol.asyncDispose]() {
      // A stopped process takes no signal but this one.
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function spawnIzo(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...args], {
    // Of a group of its own: Ctrl-C goes to the demo, which takes its children down in order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function failure(args: readonly string[], errors: string): IzoError {
  return new IzoError(
    "demo-failed",
    `Cannot go on with the demo: izo ${args[0]} failed: ${errors.trim()}`,
  );
}
