/**
 * Starts a command of this program again, in the background, and waits until it serves. The child is a
 * session of its own, so Ctrl-C in the terminal and the end of the parent do not reach it. It tells over
 * Node's IPC channel that it serves, or why it does not; everything it prints goes to a log file.
 *
 * A crash of the parent while it waits leaves the child running: the mount then serves all the same.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";

import type { Mount } from "@izo/client";
import { IzoError } from "@izo/core";
import { makeDirectories } from "@izo/sys";

/** What the child says, once. */
export type StartReport =
  | { readonly isServing: true; readonly contact: Mount["contact"] }
  | { readonly isServing: false; readonly code: string; readonly message: string };

export interface DetachedOptions {
  /** Arguments of `izo` that make it serve in the foreground. */
  readonly args: readonly string[];
  /** Where the child's standard output and error go. */
  readonly logFile: string;
  readonly signal: AbortSignal;
}

const LOG_TAIL_LINES = 5;

/** A process in the background that serves, and whether it has its server. */
export interface Detached {
  readonly pid: number;
  readonly contact: Mount["contact"];
}

/** Resolves once the child serves. @throws IzoError as the child reported it */
export async function startDetached(options: DetachedOptions): Promise<Detached> {
  const { args, logFile, signal } = options;
  makeDirectories(dirname(logFile));
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(process.execPath, [...process.execArgv, programFile(), ...args], {
    // Whatever directory we were started in can be unmounted or removed meanwhile.
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  try {
    const report = await firstReport(child, logFile);
    if (!report.isServing) throw new IzoError(report.code, report.message);
    return { pid: child.pid ?? 0, contact: report.contact };
  } finally {
    signal.removeEventListener("abort", stop);
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** In the child: tells the parent, if there is one that waits. Later reports go nowhere. */
export function reportStart(report: StartReport): void {
  process.send?.(report);
}

function firstReport(child: ChildProcess, logFile: string): Promise<StartReport> {
  const { promise, resolve, reject } = Promise.withResolvers<StartReport>();
  child.once("message", (message) => resolve(message as StartReport));
  child.once("error", reject);
  child.once("exit", (code, signal) => {
    const end = `its process ended with ${signal ?? `status ${code}`}`;
    const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES);
    reject(
      new IzoError("start-failed", `Cannot start in the background: ${end}\n${tail.join("\n")}`),
    );
  });
  return promise;
}

/** The file of the command line program: above this one in the sources, beside it in the bundle. */
function programFile(): string {
  const name = `main${extname(import.meta.filename)}`;
  const beside = join(import.meta.dirname, name);
  return existsSync(beside) ? beside : join(import.meta.dirname, "..", name);
}
