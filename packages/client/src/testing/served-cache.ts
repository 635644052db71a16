/** A mounted cache in a process of its own, for tests: never blocks the process that serves it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { SysError, umount2 } from "@izo/sys";

import type { DriverName } from "../fuse/driver-name.ts";
import { describeOperation } from "./describe-operation.ts";
import type { ServedAnswer } from "./serve-cache.ts";

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

export class ServedCache implements AsyncDisposable {
  readonly base = mkdtempSync(join(tmpdir(), "izo-served-"));
  readonly cacheDir = join(this.base, "cache");
  readonly mountPoint = join(this.base, "mount");
  #server: ChildProcess | undefined;

  readonly driver: DriverName;

  readonly #ignore: readonly string[];

  constructor(driver: DriverName, ignore: readonly string[] = []) {
    this.driver = driver;
    this.#ignore = ignore;
  }

  /** @param ignore patterns of what no record is made of */
  static async start(driver: DriverName, ignore?: readonly string[]): Promise<ServedCache> {
    const served = new ServedCache(driver, ignore);
    // Other users have to come to the mount.
    chmodSync(served.base, 0o755);
    mkdirSync(served.mountPoint);
    await served.start();
    return served;
  }

  /** @returns what the process says when it serves */
  async start(): Promise<ServedAnswer> {
    const script = new URL("serve-cache.ts", import.meta.url);
    const server = fork(script, [this.driver, this.cacheDir, this.mountPoint, ...this.#ignore], {
      // Records hold numbers that JSON has no form for.
      serialization: "advanced",
      execArgv: ["--conditions=izo:source"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#server = server;
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    const exited = once(server, "exit", { signal }).then(([code]) => {
      throw new Error(`Cannot serve ${this.mountPoint}: the server exited with ${code}`);
    });
    exited.catch(() => {});
    const [answer] = (await Promise.race([once(server, "message", { signal }), exited])) as [
      ServedAnswer,
    ];
    return answer;
  }

  async ask(): Promise<ServedAnswer> {
    const server = this.#server!;
    const answered = once(server, "message", { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
    server.send("answer");
    const [answer] = (await answered) as [ServedAnswer];
    return answer;
  }

  /** Opcodes and paths of what waits. */
  async pending(): Promise<string[]> {
    const { pending } = await this.ask();
    return pending.map(describeOperation);
  }

  /** Runs `work` while the process does not run, and so answers nothing. */
  async held(work: () => Promise<void>): Promise<void> {
    this.#server!.kill("SIGSTOP");
    try {
      await work();
    } finally {
      this.#server!.kill("SIGCONT");
    }
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    server.kill(signal);
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    detach(this.mountPoint);
    await this.stop("SIGKILL");
    detach(this.mountPoint);
    rmSync(this.base, { recursive: true, force: true });
  }
}

function detach(mountPoint: string): void {
  try {
    umount2(mountPoint, { lazy: true });
  } catch (error) {
    if (!(error instanceof SysError && error.code === "EINVAL")) throw error;
  }
}
