import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";

import { izoCommand, izoJson, tailOf } from "./cli.ts";
import type { NetworkHost } from "./network.ts";
import { runCommand } from "./run-command.ts";

/** What `izo status URL --json` gives. */
export interface ServerStatus {
  readonly headRecno: number;
  readonly oldestRecno: number;
  readonly files: number;
  readonly bytes: number;
  readonly peers: readonly { readonly peer: string; readonly host: string }[];
}

/** A running `izo serve`. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  status(): Promise<ServerStatus>;
  /** The value of a counter or gauge of `/metrics`; sums over labels. */
  metric(name: string): Promise<number>;
  /** SIGTERM, and wait. */
  stop(): Promise<void>;
  /** SIGKILL, and wait. */
  kill(): Promise<void>;
}

export interface ServeOptions {
  readonly host: NetworkHost;
  readonly directory: string;
  readonly logFile: string;
  readonly fileset?: string;
  readonly timeoutMs?: number;
  /** More of the command line. */
  readonly options?: readonly string[];
}

const PORT = 8370;

/** Starts `izo serve` on a host; resolves when it has printed its URL. */
export async function startServer(options: ServeOptions): Promise<ServerProcess> {
  const { host, directory, logFile, fileset = "rootfset", options: more = [] } = options;
  const listen = `${host.address}:${PORT}`;
  // Nobody else is in the network of the hosts; scenarios about access say what they want instead.
  const access = more.includes("--tls-cert") ? [] : ["--insecure"];
  const args = ["serve", directory, "--listen", listen, "--fileset", fileset, "--json"];
  const log = openSync(logFile, "a");
  const [file = "", ...rest] = host.inside([...izoCommand(), ...args, ...access, ...more]);
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", log] });
  closeSync(log);
  const url = await firstUrl(child, options);
  return {
    url,
    pid: child.pid ?? 0,
    status: () => izoJson<ServerStatus>(["status", url], { prefix: host.inside }),
    metric: (name) => readMetric(host, new URL("/metrics", url), name),
    stop: () => end(child, "SIGTERM"),
    kill: () => end(child, "SIGKILL"),
    [Symbol.asyncDispose]: () => end(child, "SIGTERM"),
  };
}

async function firstUrl(child: ChildProcess, options: ServeOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fail = (why: string) =>
    reject(new Error(`Cannot start izo serve: ${why}\n${tailOf(options.logFile)}`));
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    fail("it does not say its URL");
  }, options.timeoutMs ?? 90_000);
  child.once("exit", (status, signal) => fail(`it ended with ${signal ?? status}`));
  if (child.stdout !== null) {
    createInterface(child.stdout).on("line", (line) => {
      resolve((JSON.parse(line) as { url: string }).url);
    });
  }
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Longest a process may take to end in order; then it is killed and the test fails. */
const END_MS = 20_000;

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit", { signal: AbortSignal.timeout(END_MS) });
  child.kill(signal);
  try {
    await ended;
  } catch (cause) {
    child.kill("SIGKILL");
    throw new Error(`Cannot end process ${child.pid}: it still runs after ${END_MS / 1000} s`, {
      cause,
    });
  }
}

const READ_URL = "process.stdout.write(await (await fetch(process.argv[1])).text())";

/** Asked from inside the host: nobody else reaches its network. */
async function readMetric(host: NetworkHost, url: URL, name: string): Promise<number> {
  const command = [process.execPath, "--input-type=module", "-e", READ_URL, url.href];
  const text = await runCommand(host.inside(command));
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (lines.length === 0) throw new Error(`Cannot find the metric ${name} in:\n${text}`);
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
