import { Command, Option } from "@commander-js/extra-typings";
import type { HttpHistory, HttpRemote } from "@izo/client";
import {
  isAbout,
  type KmlRecord,
  NoLogError,
  type Recno,
  recordToJson,
  toFilesetPath,
} from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { findExport } from "../history/find-export.ts";
import type { SubjectOptions } from "../history/history-subject.ts";
import { describeRecord } from "../log/describe-record.ts";
import { directorySource, findLogDirectory } from "../log/directory-source.ts";
import type { LogSource } from "../log/log-source.ts";
import { findPathHistory } from "../log/path-history.ts";
import { beforeLast, serverSource } from "../log/server-source.ts";
import { findMountNote, mountPointOf } from "../mounts/mount-registry.ts";
import { findPathInMountIfAny } from "../mounts/path-in-mount.ts";
import type { Output } from "../output/output.ts";
import { isUrl } from "../parse-address.ts";
import { openRemote, openRemoteOf, withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";
import { parseRecno } from "./parse-number.ts";

/** `izo log`: who did what, in the order that counts. */
export function logCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("log")
      .description("print the records of a log: of a server, of a mount's server, or on disk")
      .argument(
        "<what>",
        "a URL, a path on a mount or in the export, or a directory that holds a log",
      )
      .argument("[path]", "only records about this path of the fileset, or below it")
      .addOption(
        new Option("--after <recno>", "only records behind this one").argParser(parseRecno),
      )
      .addOption(
        new Option("--last <count>", "only the last so many records").argParser(parseRecno),
      )
      .option("-f, --follow", "go on with new records as they come, until Ctrl-C")
      .option("--pending", "of a mount: its own log, which holds what is not yet acknowledged"),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A line is: record number, time of its author, operation, path, details, [author's peer, its number].
With --json one object per line.

Of a file a server gives all records, under whatever names it had, back to its making, and those of all
else that ever had the name. Of a directory: its own, wherever it was, and of what is below it by name.

Examples:
  izo log http://nas:8370/rootfset --last 20
  izo log /mnt/project/src/main.c
  izo log /mnt/project src -f
  izo log /mnt/project --pending
  izo log /srv/project/.intermezzo/rootfset --json | jq -r .operation.path`,
    )
    .action(async (what, path, options) => {
      const output = outputOf(cli, options);
      const { signal } = cli;
      await using opened = openLog(what, path, options, cli);
      const { source, about } = opened;
      const follows = options.follow === true;
      const isOfPath = about !== null && opened.history !== null && !follows;
      const after = await firstRecno(source, { ...options, isOfPath }, { signal, output });
      try {
        for await (const record of recordsOf(opened, after, { ...options, follows, signal })) {
          output.result(recordToJson(record), describeRecord(record));
        }
      } catch (error) {
        // Ctrl-C is how following ends, and no failure.
        if (!follows || !signal.aborted) throw error;
      }
      if (about !== null && opened.history === null) {
        output.warn(
          "renames are followed by a server only: these are the records that name the path",
        );
      }
    });
}

/** A log, and the path of which it is asked. */
interface OpenedLog extends AsyncDisposable {
  readonly source: LogSource;
  /** Of a server: it knows what a path was called before. */
  readonly history: HttpHistory | null;
  /** Null for the whole log. */
  readonly about: string | null;
}

function openLog(
  what: string,
  path: string | undefined,
  options: SubjectOptions & { readonly pending?: true | undefined },
  cli: Cli,
): OpenedLog {
  const about = path === undefined ? null : toFilesetPath(path);
  if (isUrl(what)) return logOfServer(what, openRemote(what, options, cli), about);
  const note = findMountNote(mountPointOf(what));
  if (note !== undefined && options.pending !== true) {
    return logOfServer(note.url, openRemoteOf(note), about);
  }
  const directory = findLogDirectory(note?.cacheDir ?? what);
  if (directory !== undefined) {
    const source = directorySource(directory);
    const close = () => source[Symbol.asyncDispose]();
    return { source, history: null, about, [Symbol.asyncDispose]: close };
  }
  const mounted = findPathInMountIfAny(what);
  if (options.pending === true) throw new NoLogError(what);
  if (mounted !== undefined) {
    const { note: found } = mounted.mount;
    const whole = toFilesetPath(`${mounted.path}/${path ?? ""}`);
    return logOfServer(found.url, openRemoteOf(found), whole);
  }
  const exported = findExport(what, options.fileset);
  if (exported === undefined) throw new NoLogError(what);
  const whole = toFilesetPath(`${exported.path}/${path ?? ""}`);
  return logOfServer(exported.root, exported.remote, whole === "/" ? null : whole);
}

function logOfServer(url: string, remote: HttpRemote, about: string | null): OpenedLog {
  const source = serverSource(url, remote);
  const close = () => source[Symbol.asyncDispose]();
  return { source, history: remote.history, about, [Symbol.asyncDispose]: close };
}

interface Reading {
  readonly follows: boolean;
  readonly last?: number | undefined;
  readonly signal: AbortSignal;
}

/** The records that are asked for: of all, of a path by its name, or of what ever had the path. */
async function* recordsOf(
  { source, history, about }: OpenedLog,
  after: Recno,
  { follows, last, signal }: Reading,
): AsyncGenerator<KmlRecord, void> {
  const ofPath =
    about === null || history === null
      ? null
      : await findPathHistory(history, about, after, signal);
  const isOwnOnly = ofPath !== null && !ofPath.hasDirectory && !follows;
  const records = isOwnOnly ? ofPath.records() : source.records(after, { follows, signal });
  const wanted = only(records, ({ operation }) =>
    about === null ? true : (ofPath?.concerns(operation) ?? isAbout(operation, about)),
  );
  yield* ofPath === null || follows ? wanted : lastOf(wanted, last);
}

async function* only<T>(
  items: AsyncIterable<T>,
  isWanted: (item: T) => boolean,
): AsyncGenerator<T, void> {
  for await (const item of items) if (isWanted(item)) yield item;
}

async function* lastOf<T>(items: AsyncIterable<T>, count = Infinity): AsyncGenerator<T, void> {
  const kept: T[] = [];
  for await (const item of items) {
    if (count === Infinity) yield item;
    else kept.push(item);
    if (kept.length > count) kept.shift();
  }
  yield* kept;
}

/** Where reading starts: what was cut off is told, unless a place was named. */
async function firstRecno(
  source: LogSource,
  options: {
    readonly after?: Recno | undefined;
    readonly last?: Recno | undefined;
    readonly isOfPath: boolean;
  },
  { signal, output }: { readonly signal: AbortSignal; readonly output: Output },
): Promise<Recno> {
  const { oldest, head } = await source.extent(signal);
  const before = (oldest - 1) as Recno;
  if (options.after === undefined && options.last === undefined && before > 0) {
    output.warn(`records 1 to ${before} were cut off the log`);
  }
  const after = options.after ?? before;
  // Of a path the last of its own records are meant, which lie anywhere.
  if (options.last === undefined || options.isOfPath) return after;
  return Math.max(after, beforeLast(head, options.last)) as Recno;
}
