import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

import { Command, Option } from "@commander-js/extra-typings";
import type { HttpRemote } from "@izo/client";
import { OPCODES, type Position, type Recno, type ServerRecord } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { describeRecord } from "../log/describe-record.ts";
import { findMount } from "../mounts/open-mount.ts";
import { type Cursor, CursorFile } from "../on/cursor-file.ts";
import { followRecords } from "../on/follow-records.ts";
import { pathMatcher } from "../on/path-matcher.ts";
import { CommandFailedError, runForRecord } from "../on/run-for-record.ts";
import { isUrl } from "../parse-address.ts";
import { UsageError } from "../usage-error.ts";
import {
  type ConnectionOptions,
  openRemote,
  openRemoteOf,
  withConnectionOptions,
} from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";
import { parseRecno } from "./parse-number.ts";

/** `izo on`: a command for every record of a kind. */
export function onCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("on")
      .description("run a command for each record about paths that match a pattern")
      .argument("<what>", "http://HOST:PORT/FILESET, or a mount point, whose server is followed")
      .argument("<pattern>", "as in .gitignore: *.md, /docs/, src/**/test")
      .argument("<command...>", "behind --; no shell reads it"),
  )
    .addOption(
      new Option("--op <names>", "only these operations, like CLOSE,RENAME").argParser(
        parseOperations,
      ),
    )
    .addOption(
      new Option(
        "--from <place>",
        "where to begin without a cursor: behind a record, or start, or now",
      ).default("now"),
    )
    .addOption(
      new Option(
        "--cursor <file>",
        "what is done is noted here (default: below ~/.local/state/izo)",
      ),
    )
    .option("--once", "end when all that is there now is done")
    .addOption(
      new Option("--retries <count>", "how often a command that failed is tried again")
        .argParser(parseRecno)
        .default(5),
    )
    .option("--skip-failed", "go on behind a record for which the command failed for good")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
One command at a time, in the order of the log. It gets the record as JSON on standard input, and as
IZO_RECNO, IZO_OPCODE, IZO_PATH (IZO_PATH_ENCODED with %XX, where names are no UTF-8), IZO_FROM_PATH of a
move, IZO_TIME, IZO_PEER, IZO_UID, IZO_COMMAND, IZO_SHA256, IZO_SIZE, IZO_URL.

A record whose command ended with status 0 is never handed out again: that is noted, durably, before the
next one is begun. After a crash in the middle of a command that one record comes again; its IZO_RECNO is
the same. A command that fails for good ends izo on, and its record comes first the next time. The server
keeps records for a time only: what was cut off meanwhile is an error (log-truncated).

Examples:
  izo on http://nas:8370/rootfset '*.md' --op CLOSE -- make -C /srv/site
  izo on /mnt/project /incoming/ --from start --once -- sh -c 'echo "$IZO_OPCODE $IZO_PATH"'`,
    )
    .action(async (what, pattern, command, options) => {
      const output = outputOf(cli, options);
      const { signal, env } = cli;
      const matches = pathMatcher(pattern);
      const { op, once = false } = options;
      const isWanted = ({ operation }: ServerRecord): boolean =>
        (op === undefined || op.has(operation.opcode)) && matches(operation);
      const { url, remote } = openSource(what, options, cli);
      await using held = new AsyncDisposableStack();
      held.use(remote);
      using file = new CursorFile(cursorPath(options.cursor, [url, pattern, ...command], cli), url);
      const start = file.read() ?? (await begin(file, options.from, remote, signal));
      const handle = async (record: ServerRecord): Promise<void> => {
        const onFailed = (end: string, attempt: number): void =>
          output.warn(`record ${record.recno}: the command ended with ${end}, attempt ${attempt}`);
        try {
          await runForRecord(record, {
            command,
            url,
            retries: options.retries,
            env,
            signal,
            onFailed,
            random: Math.random,
          });
        } catch (error) {
          if (options.skipFailed !== true || !(error instanceof CommandFailedError)) throw error;
          output.warn(`record ${record.recno} is skipped`);
          return;
        }
        output.result({ recno: record.recno, isDone: true }, describeRecord(record));
      };
      const onUnreachable = (error: Error): void =>
        output.warn(`${error.message}; it is tried again`);
      try {
        await followRecords({
          remote,
          file,
          start,
          isOnce: once,
          isWanted,
          handle,
          onUnreachable,
          random: Math.random,
          signal,
        });
      } catch (error) {
        // Ctrl-C is how following ends, and no failure.
        if (once || !signal.aborted) throw error;
      }
    });
}

function openSource(
  what: string,
  options: ConnectionOptions,
  cli: Cli,
): { url: string; remote: HttpRemote } {
  if (isUrl(what)) return { url: what, remote: openRemote(what, options, cli) };
  const { note } = findMount(what);
  return { url: note.url, remote: openRemoteOf(note) };
}

function parseOperations(text: string): ReadonlySet<string> {
  const names = text.split(",");
  const unknown = names.find((name) => !Object.hasOwn(OPCODES, name));
  if (unknown === undefined) return new Set(names);
  throw new UsageError(
    `Cannot wait for the operation ${JSON.stringify(unknown)}: there is none`,
    `they are: ${Object.keys(OPCODES).join(", ")}`,
  );
}

/** The same command for the same records goes on where it was. */
function cursorPath(given: string | undefined, parts: readonly string[], cli: Cli): string {
  if (given !== undefined) return resolve(cli.cwd, given);
  const home = cli.env["HOME"] ?? homedir();
  const state = cli.env["XDG_STATE_HOME"] ?? join(home, ".local", "state");
  const name = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  return join(state, "izo", "on", `${name}.json`);
}

/** Notes where it begins: what comes before the next run is not missed. */
async function begin(
  file: CursorFile,
  from: string,
  remote: HttpRemote,
  signal: AbortSignal,
): Promise<Cursor> {
  const after = await findStart(from, remote, signal);
  const cursor = { after, done: after.recno };
  file.write(cursor);
  return cursor;
}

async function findStart(from: string, remote: HttpRemote, signal: AbortSignal): Promise<Position> {
  const { head, oldestRecno } = await remote.profile(signal);
  if (from === "now") return head;
  if (from === "start") return await remote.positionAt((oldestRecno - 1) as Recno, signal);
  if (/^\d{1,15}$/.test(from)) return await remote.positionAt(Number(from) as Recno, signal);
  throw new UsageError(
    `Cannot begin at ${JSON.stringify(from)}: it is no place in a log`,
    "give the number of a record, start, or now",
  );
}
