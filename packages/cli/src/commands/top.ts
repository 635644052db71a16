import { setTimeout as sleep } from "node:timers/promises";

import { Command, Option } from "@commander-js/extra-typings";
import { connectControl, type MountStatus } from "@izo/client";
import { NO_RECNO } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { listMountNotes, type MountNote } from "../mounts/mount-registry.ts";
import { LiveScreen } from "../output/live-screen.ts";
import { formatAge, formatBytes, formatCount } from "../output/quantity.ts";
import { formatTable } from "../output/table.ts";
import { answerOfMount } from "../status/answer.ts";
import { readStatus } from "../status/read-status.ts";
import { type ConnectionOptions, withConnectionOptions } from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";
import { parseRecno } from "./parse-number.ts";

/** One look: for programs, and for people. */
interface Look {
  readonly value: unknown;
  readonly text: string;
}

/** `izo top`: the status, again and again. */
export function topCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("top")
      .description("watch a mount or a served fileset, or all mounts of this machine")
      .argument("[what]", "a mount point, or http://HOST:PORT/FILESET; all mounts by default"),
  )
    .addOption(
      new Option("--interval <seconds>", "how often to look").argParser(parseRecno).default(1),
    )
    .addOption(new Option("--count <looks>", "end after so many looks").argParser(parseRecno))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
On a terminal the view is drawn again in place, until Ctrl-C; elsewhere, and with --json, each look
follows the one before.

Examples:
  izo top
  izo top /mnt/project
  izo top http://nas:8370/rootfset --interval 5 --json | jq .headRecno`,
    )
    .action(async (what, options) => {
      const output = outputOf(cli, options);
      const looks = options.count ?? Infinity;
      using screen = new LiveScreen(cli.stdout, { isLive: !output.isJson && looks > 1 });
      for (let look = 1; look <= looks && !cli.signal.aborted; look += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one look after another
        const { value, text } = await lookAt(what, options, cli);
        if (output.isJson) output.result(value, text);
        else screen.show(text);
        if (look < looks) {
          // oxlint-disable-next-line no-await-in-loop
          await sleep(options.interval * 1000, undefined, { signal: cli.signal }).catch(() => {});
        }
      }
    });
}

async function lookAt(
  what: string | undefined,
  options: ConnectionOptions,
  cli: Cli,
): Promise<Look> {
  if (what === undefined) return lookAtAll();
  try {
    return await readStatus(what, options, cli);
  } catch (error) {
    // What does not answer now may answer at the next look; what is no mount never will.
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!(error instanceof Error) || !PASSING.has(code)) throw error;
    return { value: { error: { code, message: error.message } }, text: error.message };
  }
}

const PASSING = new Set(["unreachable", "remote-unreachable", "mount-not-answering"]);

interface Row {
  readonly note: MountNote;
  /** Null where nobody answers. */
  readonly status: MountStatus | null;
}

async function lookAtAll(): Promise<Look> {
  const rows = await Promise.all(listMountNotes().map(askMount));
  const nowMs = Date.now();
  const value = {
    mounts: rows.map(({ note, status }) => ({
      ...note,
      answer: status === null ? null : answerOfMount(status, nowMs),
      ...status,
    })),
  };
  return { value, text: describeAll(rows, nowMs) };
}

async function askMount(note: MountNote): Promise<Row> {
  try {
    return { note, status: await connectControl(note.cacheDir).status() };
  } catch {
    return { note, status: null };
  }
}

function describeAll(rows: readonly Row[], nowMs: number): string {
  if (rows.length === 0) return "nothing is mounted on this machine";
  const columns = [
    { title: "mount" },
    { title: "safe" },
    { title: "state" },
    { title: "pending", align: "right" },
    { title: "behind", align: "right" },
    { title: "for", align: "right" },
    { title: "transfers", align: "right" },
    { title: "conflicts", align: "right" },
    { title: "cached", align: "right" },
  ] as const;
  const cells = rows.map(({ note, status }) =>
    status === null
      ? [note.mountPoint, "?", "nobody answers"]
      : [
          note.mountPoint,
          answerOfMount(status, nowMs).isSafe ? "yes" : "not yet",
          status.isForcedOffline ? "offline (forced)" : status.state,
          formatCount(status.pending),
          formatCount(Math.max(NO_RECNO, status.headRecno - status.recno)),
          status.lagMs === null ? "?" : formatAge(status.lagMs),
          formatCount(status.transfers.length),
          formatCount(status.conflicts),
          formatBytes(status.cachedBytes),
        ],
  );
  return formatTable(columns, cells);
}
