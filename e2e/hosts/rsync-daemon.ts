import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { NetworkHost } from "./network.ts";
import { tryCommand } from "./run-command.ts";

const PORT = 8730;
const POLL_MS = 20;
const PATIENCE_MS = 10_000;

/** An rsync daemon that gives out a directory, for as long as it is held. */
export interface RsyncDaemon extends AsyncDisposable {
  /** Of the directory, as `rsync` takes it. */
  readonly url: string;
}

/** Starts one on a host; its settings are written below `directory`. */
export async function startRsyncDaemon(
  host: NetworkHost,
  exported: string,
  directory: string,
): Promise<RsyncDaemon> {
  const settings = join(directory, "rsyncd.conf");
  writeFileSync(
    settings,
    `uid = root\ngid = root\nuse chroot = no\n[export]\npath = ${exported}\nread only = yes\n`,
  );
  const options = ["--daemon", "--no-detach", `--config=${settings}`, `--port=${PORT}`];
  const [file = "", ...rest] = host.inside(["rsync", ...options, "--log-file=/dev/null"]);
  const child = spawn(file, rest, { stdio: "ignore" });
  const ended = once(child, "exit");
  await using started = new AsyncDisposableStack();
  started.defer(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const url = `rsync://${host.address}:${PORT}/export/`;
  await untilAnswers(host, url);
  const held = started.move();
  return { url, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function untilAnswers(host: NetworkHost, url: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked until it answers
    const { status, stderr } = await tryCommand(host.inside(["rsync", "--dirs", url]));
    if (status === 0) return;
    if (performance.now() > endMs) throw new Error(`Cannot reach ${url}: ${stderr}`);
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  }
}
