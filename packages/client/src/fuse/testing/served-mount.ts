/** A pass-through mount in a process of its own, for tests: never blocks the process that serves it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { SysError, umount2 } from "@izo/sys";

import type { DriverName } from "../driver-name.ts";
import type { Answer, Question } from "./serve-pass-through.ts";

const startTimeoutMs = 20_000;

export interface ServedMount extends AsyncDisposable {
  readonly backing: string;
  readonly mountPoint: string;
  readonly server: ChildProcess;
  ask(question: Question): Promise<Answer>;
  /** Starts another server at the same place, after the last one ended. */
  restart(): Promise<void>;
}

/** Directories, mount and server; all gone when disposed of, whatever state they are in. */
export async function servePassThrough(
  driver: DriverName,
  cacheSeconds = 600,
): Promise<ServedMount> {
  const base = mkdtempSync(join(tmpdir(), "izo-fuse-"));
  const backing = join(base, "backing");
  const mountPoint = join(base, "mount");
  mkdirSync(backing);
  mkdirSync(mountPoint);
  let server = await start(driver, backing, mountPoint, cacheSeconds);
  return {
    backing,
    mountPoint,
    get server() {
      return server;
    },
    async ask(question) {
      const answered = once(server, "message");
      server.send(question);
      const [answer] = (await answered) as [Answer];
      return answer;
    },
    async restart() {
      server = await start(driver, backing, mountPoint, cacheSeconds);
    },
    async [Symbol.asyncDispose]() {
      detach(mountPoint);
      if (server.exitCode === null && server.signalCode === null) {
        const exited = once(server, "exit");
        server.kill("SIGKILL");
        await exited;
      }
      detach(mountPoint);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

async function start(
  driver: DriverName,
  backing: string,
  mountPoint: string,
  cacheSeconds: number,
): Promise<ChildProcess> {
  const script = new URL("serve-pass-through.ts", import.meta.url);
  const server = fork(script, [driver, backing, mountPoint, String(cacheSeconds)], {
    execArgv: ["--conditions=izo:source"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const signal = AbortSignal.timeout(startTimeoutMs);
  const exited = once(server, "exit", { signal }).then(([code]) => {
    throw new Error(`Cannot serve ${mountPoint}: the server exited with ${code}`);
  });
  exited.catch(() => {});
  try {
    await Promise.race([once(server, "message", { signal }), exited]);
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  }
  return server;
}

function detach(mountPoint: string): void {
  try {
    umount2(mountPoint, { lazy: true });
  } catch (error) {
    if (!(error instanceof SysError && error.code === "EINVAL")) throw error;
  }
}
