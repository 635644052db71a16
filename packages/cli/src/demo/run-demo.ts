/**
 * The main job, shown on one machine: a directory is served in place, mounted twice, and changed from
 * three sides. Every step checks what it shows, so a demo that ends well has proven something. All of it
 * happens in a temporary directory, which is removed at the end, also after a failure or Ctrl-C.
 */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { connectControl, HttpRemote } from "@izo/client";
import { type FilesetStatus, IzoError } from "@izo/core";

import type { Output } from "../output/output.ts";
import { formatBytes, formatCount, formatMs } from "../output/quantity.ts";
import { formatFields } from "../output/table.ts";
import { type ChildServer, runIzo, startChildServer } from "./child-izo.ts";
import { makeSample } from "./sample-directory.ts";
import { holds, namesIn, quantile, see } from "./see.ts";

/** What the demo measured; times in ms. */
export interface DemoFigures {
  readonly files: number;
  readonly bytes: number;
  readonly startMs: number;
  readonly mountMs: { readonly onDemand: number; readonly replica: number };
  /** From close(2) on one mount until the content can be read on the other. */
  readonly closeToReadableMs: { readonly p50: number; readonly p99: number };
  /** From close(2) on one mount until a program that watches the other is told; null where it is not. */
  readonly watchingMs: number | null;
  readonly localWriteMs: number;
  readonly directoryRenameMs: number;
  readonly conflictCopies: readonly string[];
  readonly headRecno: number;
}

interface Stage {
  readonly output: Output;
  readonly directory: string;
  readonly exportDir: string;
  readonly server: ChildServer;
  /** Mounted on demand. */
  readonly here: string;
  /** Mounted as a replica. */
  readonly there: string;
}

const ROUNDS = 50;
const RENAMED_FILES = 1000;
const PATIENCE_MS = 20_000;
const COMPLETE_POLL_MS = 20;

export async function runDemo(
  source: string | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<DemoFigures> {
  await using cleanUp = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "izo-demo-"));
  cleanUp.defer(() => rmSync(directory, { recursive: true, force: true }));
  const exportDir = join(directory, "export");
  makeSample(exportDir, source);

  const startedMs = performance.now();
  const server = cleanUp.use(await startChildServer(exportDir));
  const startMs = performance.now() - startedMs;
  const { files, bytes } = await serverStatus(server.url);
  output.say(
    `1. A directory with ${formatCount(files)} files (${formatBytes(bytes)}) is served in place`,
  );
  output.say(`   $ izo serve ${exportDir}     → ${server.url}, ready after ${formatMs(startMs)}`);

  output.say("2. It is mounted twice, as on two machines");
  const here = join(directory, "here");
  const there = join(directory, "there");
  const onDemand = await mount(server.url, here, "on-demand", cleanUp, output);
  const replica = await mount(server.url, there, "replica", cleanUp, output);
  await untilComplete(there);
  const stage: Stage = { output, directory, exportDir, server, here, there };

  const figures: DemoFigures = {
    files,
    bytes,
    startMs,
    mountMs: { onDemand, replica },
    closeToReadableMs: await checked(signal, () => showWrites(stage)),
    watchingMs: await checked(signal, () => showWatching(stage)),
    localWriteMs: await checked(signal, () => showLocalWrite(stage)),
    directoryRenameMs: await checked(signal, () => showRename(stage)),
    conflictCopies: await checked(signal, () => showConflict(stage)),
    headRecno: (await serverStatus(server.url)).headRecno,
  };
  await showLog(stage);
  return figures;
}

/** The figures as a table. */
export function formatFigures(figures: DemoFigures): string {
  const { closeToReadableMs, mountMs, watchingMs } = figures;
  return formatFields([
    ["first scan until ready", formatMs(figures.startMs)],
    ["mount, on demand", formatMs(mountMs.onDemand)],
    ["mount, replica", formatMs(mountMs.replica)],
    [
      "close here → readable there",
      `p50 ${formatMs(closeToReadableMs.p50)}, p99 ${formatMs(closeToReadableMs.p99)}`,
    ],
    ["close here → told there (inotify)", watchingMs === null ? "not told" : formatMs(watchingMs)],
    ["written in the export → readable", formatMs(figures.localWriteMs)],
    [`rename of ${formatCount(RENAMED_FILES)} files → seen`, formatMs(figures.directoryRenameMs)],
    ["records in the log", formatCount(figures.headRecno)],
  ]);
}

async function checked<T>(signal: AbortSignal, step: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  return step();
}

async function mount(
  url: string,
  mountPoint: string,
  mode: string,
  cleanUp: AsyncDisposableStack,
  output: Output,
): Promise<number> {
  mkdirSync(mountPoint);
  const startMs = performance.now();
  const cacheDir = cacheOf(mountPoint);
  await runIzo(["mount", url, mountPoint, "--cache", cacheDir, "--mode", mode]);
  cleanUp.defer(async () => void (await runIzo(["umount", "--lazy", mountPoint])));
  const durationMs = performance.now() - startMs;
  output.say(
    `   $ izo mount ${url} ${mountPoint} --mode ${mode}     serves after ${formatMs(durationMs)}`,
  );
  return durationMs;
}

async function showWrites({
  output,
  here,
  there,
}: Stage): Promise<DemoFigures["closeToReadableMs"]> {
  output.say("3. What is written in one is in the other");
  mkdirSync(join(here, "letters"));
  const delays: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const text = `Letter ${round}: written on demand, read from a replica\n`;
    writeFileSync(join(here, "letters", `${round}.txt`), text);
    delays.push(
      await see(`letter ${round}`, () => holds(join(there, "letters", `${round}.txt`), text)),
    );
  }
  const p50 = quantile(delays, 0.5);
  const p99 = quantile(delays, 0.99);
  output.say(
    `   ${ROUNDS} files, from close(2) to readable: half within ${formatMs(p50)}, 99 % within ${formatMs(p99)}`,
  );
  return { p50, p99 };
}

/** Null with the driver that cannot. */
async function showWatching({ output, here, there }: Stage): Promise<number | null> {
  const { driver } = await connectControl(cacheOf(there)).status();
  if (driver.name !== "kernel") return null;
  output.say("4. A program that watches one (inotify) is told of what is done in the other");
  const told: string[] = [];
  const watcher = watch(join(there, "letters"), (_event, name) => void told.push(String(name)));
  try {
    writeFileSync(join(here, "letters", "watched.txt"), "Nobody polls\n");
    const delayMs = await see("what a watching program is told", () =>
      told.includes("watched.txt"),
    );
    output.say(`   told after ${formatMs(delayMs)}`);
    return delayMs;
  } finally {
    watcher.close();
  }
}

async function showLocalWrite({ output, exportDir, here, there }: Stage): Promise<number> {
  output.say(
    "5. Programs on the server's machine go on using the directory, and both mounts see it",
  );
  const text = "Written with no izo in between\n";
  writeFileSync(join(exportDir, "letters", "from-the-server.txt"), text);
  const name = join("letters", "from-the-server.txt");
  const delayMs = await see(
    "the server's file",
    () => holds(join(there, name), text) && holds(join(here, name), text),
  );
  output.say(`   readable on both after ${formatMs(delayMs)}`);
  return delayMs;
}

async function showRename(stage: Stage): Promise<number> {
  const { output, here, there } = stage;
  output.say(
    `6. A directory of ${formatCount(RENAMED_FILES)} files is renamed: one record, nothing is sent again`,
  );
  mkdirSync(join(here, "many"));
  for (let number = 0; number < RENAMED_FILES; number++) {
    writeFileSync(join(here, "many", `${number}`), `${number}`);
  }
  await syncMounts(stage);
  renameSync(join(here, "many"), join(here, "renamed"));
  const delayMs = await see(
    "the renamed directory",
    () => namesIn(join(there, "renamed")).length === RENAMED_FILES,
  );
  output.say(`   all ${formatCount(RENAMED_FILES)} have their new path after ${formatMs(delayMs)}`);
  return delayMs;
}

async function showConflict(stage: Stage): Promise<string[]> {
  const { output, server, here, there } = stage;
  output.say("7. Both edit one file before either has seen the other's edit");
  const name = "both.txt";
  writeFileSync(join(here, name), "As both know it\n");
  await syncMounts(stage);
  holds(join(there, name), "");
  server.process.kill("SIGSTOP");
  try {
    output.say("   (the server is stopped meanwhile; both mounts go on)");
    writeFileSync(join(here, name), "Edited here\n");
    writeFileSync(join(there, name), "Edited there\n");
  } finally {
    server.process.kill("SIGCONT");
  }
  await syncMounts(stage);
  const names = namesIn(here).filter((entry) => entry.startsWith("both"));
  const contents = names.map((entry) => readFileSync(join(here, entry), "utf8"));
  for (const text of ["Edited here\n", "Edited there\n"]) {
    if (!contents.includes(text)) {
      throw new IzoError(
        "demo-failed",
        `Cannot find ${JSON.stringify(text)} after the conflict in ${names.join(", ")}`,
      );
    }
  }
  await see(
    "the same names on both",
    () =>
      namesIn(there)
        .filter((entry) => entry.startsWith("both"))
        .join() === names.join(),
  );
  for (const [index, entry] of names.entries())
    output.say(`   ${entry}: ${contents[index]?.trim()}`);
  return names.filter((entry) => entry !== name);
}

async function showLog({ output, server }: Stage): Promise<void> {
  output.say("8. All of it is in the log");
  output.say(`   $ izo log ${server.url} --last 6`);
  const lines = await runIzo(["log", server.url, "--last", "6"]);
  for (const line of lines.trimEnd().split("\n")) output.say(`   ${line}`);
}

/** Until the server has everything from the mounts, and each mount has everything from the server. */
async function syncMounts({ server, here, there }: Stage): Promise<void> {
  const controls = [here, there].map((mountPoint) => connectControl(cacheOf(mountPoint)));
  const patience = AbortSignal.timeout(PATIENCE_MS);
  for (const control of controls) await control.flush(patience);
  const { headRecno } = await serverStatus(server.url);
  for (const control of controls) await control.waitFor(headRecno, patience);
}

/** Until a replica holds every content. */
async function untilComplete(mountPoint: string): Promise<void> {
  const control = connectControl(cacheOf(mountPoint));
  while (!(await control.status()).isComplete) await delay(COMPLETE_POLL_MS);
}

function cacheOf(mountPoint: string): string {
  return `${mountPoint}-cache`;
}

async function serverStatus(url: string): Promise<FilesetStatus> {
  await using remote = new HttpRemote(url);
  return await remote.status();
}
