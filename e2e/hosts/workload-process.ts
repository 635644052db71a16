import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text as readText } from "node:stream/consumers";

import type { WorkloadOptions, WorkloadStep } from "./workload.ts";

/** A workload in a process of its own. */
export interface WorkloadProcess {
  readonly pid: number;
  /** What was closed so far, in its order. */
  readonly done: readonly WorkloadStep[];
  /** Resolves when so many steps are done, or the workload has ended. */
  reached(steps: number): Promise<void>;
  /** Resolves at its end, by itself or because its mount died: undefined when it did all steps, else what it said. */
  readonly ended: Promise<string | undefined>;
  /** SIGKILL, and wait until all that it said has been read. */
  kill(): Promise<void>;
}

/** Starts `workload()` below `directory`. */
export function startWorkload(
  directory: string,
  author: string,
  options: WorkloadOptions,
): WorkloadProcess {
  const program = join(import.meta.dirname, "workload.ts");
  const args = ["--conditions=izo:source", program, directory, author, JSON.stringify(options)];
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
  });
  const done: WorkloadStep[] = [];
  const waiting: { readonly steps: number; readonly resolve: () => void }[] = [];
  const lines = createInterface(child.stdout!);
  lines.on("line", (line) => {
    done.push(JSON.parse(line) as WorkloadStep);
    for (const waiter of waiting) if (done.length >= waiter.steps) waiter.resolve();
  });
  let isEnded = false;
  const ending = Promise.all([once(child, "exit"), once(lines, "close"), readText(child.stderr!)]);
  const ended = ending.then(([[status], , errors]) => {
    isEnded = true;
    for (const waiter of waiting) waiter.resolve();
    return status === 0 ? undefined : errors;
  });
  return {
    pid: child.pid ?? 0,
    done,
    ended,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    reached(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ steps: count, resolve });
      if (isEnded || done.length >= count) resolve();
      return promise;
    },
  };
}
