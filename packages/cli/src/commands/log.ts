import { Command, Option } from "@commander-js/extra-typings";
import { isAbout, NoLogError, type Recno, recordToJson, toFilesetPath } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { describeRecord } from "../log/describe-record.ts";
import { directorySource, findLogDirectory } from "../log/directory-source.ts";
import type { LogSource } from "../log/log-source.ts";
import { beforeLast, serverSource } from "../log/server-source.ts";
import { findMountNote, mountPointOf } from "../mounts/mount-registry.ts";
import type { Output } from "../output/output.ts";
import { isUrl } from "../parse-address.ts";
import {
  type ConnectionOptions,
  openRemote,
  openRemoteOf,
  withConnectionOptions,
} from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";
import { parseRecno } from "./parse-number.ts";

/** `izo log`: who did what, in the order that counts. */
export function logCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("log")
      .description("print the records of a log: of a server, of a mount's server, or on disk")
      .argument("<what>", "a URL, a mount point, or a directory that holds a log")
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
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A line is: record number, time of its author, operation, path, details, [author's peer, its number].
With --json one object per line.

Examples:
  izo log http://nas:8370/rootfset --last 20
  izo log /mnt/project src/main.c -f
  izo log /mnt/project --pending
  izo log /srv/project/.intermezzo/rootfset --json | jq -r .operation.path`,
    )
    .action(async (what, path, options) => {
      const output = outputOf(cli, options);
      const { signal } = cli;
      await using source = openSource(what, options, cli);
      const after = await firstRecno(source, options, { signal, output });
      const about = path === undefined ? undefined : toFilesetPath(path);
      const follows = options.follow === true;
      try {
        for await (const record of source.records(after, { follows, signal })) {
          if (about !== undefined && !isAbout(record.operation, about)) continue;
          output.result(recordToJson(record), describeRecord(record));
        }
      } catch (error) {
        // Ctrl-C is how following ends, and no failure.
        if (!follows || !signal.aborted) throw error;
      }
    });
}

function openSource(
  what: string,
  options: ConnectionOptions & { readonly pending?: true | undefined },
  cli: Cli,
): LogSource {
  if (isUrl(what)) return serverSource(what, openRemote(what, options, cli));
  const note = findMountNote(mountPointOf(what));
  if (note !== undefined && options.pending !== true) {
    return serverSource(note.url, openRemoteOf(note));
  }
  const directory = findLogDirectory(note?.cacheDir ?? what);
  if (directory === undefined) throw new NoLogError(what);
  return directorySource(directory);
}

/** Where reading starts: what was cut off is told, unless a place was named. */
async function firstRecno(
  source: LogSource,
  options: { readonly after?: Recno | undefined; readonly last?: Recno | undefined },
  { signal, output }: { readonly signal: AbortSignal; readonly output: Output },
): Promise<Recno> {
  const { oldest, head } = await source.extent(signal);
  const before = (oldest - 1) as Recno;
  if (options.after === undefined && options.last === undefined && before > 0) {
    output.warn(`records 1 to ${before} were cut off the log`);
  }
  const after = options.after ?? before;
  if (options.last === undefined) return after;
  return Math.max(after, beforeLast(head, options.last)) as Recno;
}
