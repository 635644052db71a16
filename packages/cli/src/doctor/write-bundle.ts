/**
 * All that somebody who helps from afar asks for, in one file: findings, versions, figures, the ends of logs.
 * No tokens, keys, contents; of the environment only the names of what izo reads. Paths and host names are
 * in it, as every log has them.
 */
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { connectControl } from "@izo/client";
import { withoutTokens } from "@izo/core";

import type { Cli } from "../cli.ts";
import { listMountNotes } from "../mounts/mount-registry.ts";
import { toJson } from "../output/json.ts";
import type { Finding } from "./finding.ts";

const LOG_TAIL_BYTES = 64 * 1024;

/** @throws EEXIST: no file is written over */
export async function writeBundle(
  path: string,
  findings: readonly Finding[],
  { env }: Cli,
): Promise<void> {
  const mounts = await Promise.all(
    listMountNotes().map(async ({ mountPoint, url, cacheDir, pid }) => {
      const control = connectControl(cacheDir);
      const status = await orMessage(control.status.bind(control));
      const metrics = await orMessage(control.metrics.bind(control));
      const log = tailOf(join(cacheDir, "mount.log")).split("\n");
      return { mountPoint, url, cacheDir, pid, status, metrics: metrics.split("\n"), log };
    }),
  );
  const bundle = {
    madeAt: new Date().toISOString(),
    note: "No tokens, keys or contents of files; paths and host names are in it",
    findings,
    environment: Object.keys(env).filter((name) => name.startsWith("IZO_")),
    mounts,
  };
  writeFileSync(path, withoutTokens(`${toJson(bundle)}\n`), { flag: "wx", mode: 0o600 });
}

/** What somebody answers, or why not. */
async function orMessage<T>(ask: () => T | Promise<T>): Promise<T | string> {
  try {
    return await ask();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The end of a log, from the beginning of a line on; empty where there is none. */
function tailOf(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(0, size - LOG_TAIL_BYTES);
    const bytes = Buffer.alloc(size - from);
    const length = readSync(fd, bytes, 0, bytes.length, from);
    const text = bytes.toString("utf8", 0, length);
    return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(fd);
  }
}
