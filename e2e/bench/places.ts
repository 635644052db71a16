/** Directories in which the same work is measured: a local one, the mount, and what else is installed here. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { callControl } from "@izo/sys";

import { runCommand, tryCommand } from "../hosts/run-command.ts";
import type { World } from "../hosts/world.ts";
import type { Question } from "./worker.ts";

/** Where work is done. */
export interface BenchPlace {
  readonly name: string;
  readonly directory: string;
  /** Asks the process that works there. Resolves with microseconds for one operation. */
  ask(question: Question): Promise<number>;
  /** How often the kernel has asked for what, by now; undefined where nobody counts. */
  requests(): Promise<Readonly<Record<string, number>> | undefined>;
  /** Until what was done is where it belongs, so that it does not burden what comes next. */
  settle(): Promise<void>;
}

/** A place that is not there, and why. */
export interface MissingPlace {
  readonly name: string;
  readonly reason: string;
}

const ANSWER_MS = 120_000;
const MOUNT_MS = 10_000;
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";

/** The local directory and the mount, in this order; their processes end with `stack`. */
export async function makePlaces(
  world: World,
  stack: AsyncDisposableStack,
): Promise<readonly [BenchPlace, BenchPlace]> {
  await world.serve();
  const mount = await world.mount("client1", "on-demand");
  const { cacheDir, mountPoint } = mount;
  return [
    makePlace("local", join(world.directory, "local"), stack),
    makePlace("izo", join(mountPoint, "bench"), stack, {
      requests: async () => (await driverOf(cacheDir)).requests ?? undefined,
      settle: async () => void (await mount.flush()),
    }),
  ];
}

/** What the mount of a cache says of its driver. */
export async function driverOf(cacheDir: string): Promise<{
  readonly name: string;
  readonly protocol: string | null;
  readonly hasPassthrough: boolean;
  readonly requests: Readonly<Record<string, number>> | null;
}> {
  const answer = await callControl(cacheDir, { method: "GET", path: "/status" });
  if (!answer.isDone) throw new Error(`Cannot ask the mount: ${answer.message}`);
  return (answer.value as { driver: Awaited<ReturnType<typeof driverOf>> }).driver;
}

/** sshfs and rclone on the same disk, without a network in between: each as fast as it can be. */
export async function makeOthers(
  world: World,
  stack: AsyncDisposableStack,
): Promise<{ readonly places: BenchPlace[]; readonly missing: MissingPlace[] }> {
  const places: BenchPlace[] = [];
  const missing: MissingPlace[] = [];
  for (const { name, mount } of OTHERS) {
    const at = join(world.directory, name);
    const [source, mountPoint] = [join(at, "source"), join(at, "mnt")];
    for (const path of [source, mountPoint]) mkdirSync(path, { recursive: true });
    // oxlint-disable-next-line no-await-in-loop -- one mount after another
    const reason = await mount({ source, mountPoint, at });
    if (reason !== undefined) missing.push({ name, reason });
    else places.push(makePlace(name, join(mountPoint, "bench"), stack));
  }
  return { places, missing };
}

interface OtherMount {
  readonly source: string;
  readonly mountPoint: string;
  readonly at: string;
}

interface OtherFileSystem {
  readonly name: string;
  /** Mounts; says why not where it cannot. The mount comes down with the work directory. */
  readonly mount: (other: OtherMount) => Promise<string | undefined>;
}

const OTHERS: readonly OtherFileSystem[] = [
  {
    name: "sshfs",
    async mount({ source, mountPoint, at }) {
      if (!(await isInstalled("sshfs"))) return "not installed";
      if (!existsSync(SFTP_SERVER)) return `no ${SFTP_SERVER}`;
      const command = join(at, "connect");
      writeFileSync(command, `#!/bin/sh\nexec ${SFTP_SERVER}\n`);
      chmodSync(command, 0o700);
      await runCommand(["sshfs", "-o", `ssh_command=${command}`, `host:${source}`, mountPoint]);
      return await untilMounted(mountPoint);
    },
  },
  {
    name: "rclone",
    async mount({ source, mountPoint, at }) {
      if (!(await isInstalled("rclone"))) return "not installed";
      const cache = ["--vfs-cache-mode", "full", "--cache-dir", join(at, "cache")];
      const config = ["--config", join(at, "rclone.conf"), "--daemon"];
      await runCommand(["rclone", "mount", ...config, ...cache, source, mountPoint]);
      return await untilMounted(mountPoint);
    },
  },
];

async function isInstalled(program: string): Promise<boolean> {
  return (await tryCommand(["sh", "-c", `command -v ${program}`])).status === 0;
}

async function untilMounted(mountPoint: string): Promise<string | undefined> {
  for (const endMs = performance.now() + MOUNT_MS; performance.now() < endMs;) {
    // oxlint-disable-next-line no-await-in-loop -- asked until it is there
    if ((await tryCommand(["mountpoint", "-q", mountPoint])).status === 0) return undefined;
    // oxlint-disable-next-line no-await-in-loop
    await delay(50);
  }
  return "it did not mount within 10 s";
}

function makePlace(
  name: string,
  directory: string,
  stack: AsyncDisposableStack,
  rest: Partial<BenchPlace> = {},
): BenchPlace {
  mkdirSync(directory, { recursive: true });
  const worker = fork(join(import.meta.dirname, "worker.ts"), [directory], {
    execArgv: ["--conditions=izo:source"],
  });
  stack.defer(() => void worker.kill("SIGKILL"));
  return {
    name,
    directory,
    async ask(question) {
      const answered = once(worker, "message", { signal: AbortSignal.timeout(ANSWER_MS) });
      worker.send(question);
      const [microseconds] = (await answered) as [number];
      return microseconds;
    },
    requests: () => Promise.resolve(undefined),
    settle: () => Promise.resolve(),
    ...rest,
  };
}
