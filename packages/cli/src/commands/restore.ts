import { join, resolve } from "node:path";

import { Command, Option } from "@commander-js/extra-typings";
import { IzoError, type Oid } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { type HistorySubject, openSubject } from "../history/history-subject.ts";
import { parsePlace } from "../history/parse-place.ts";
import { planRestore, type RestoredItem, type RestorePlace } from "../history/plan-restore.ts";
import { finishDirectory, restoreItem, restoreLink } from "../history/restore-item.ts";
import type { Output } from "../output/output.ts";
import { formatCount } from "../output/quantity.ts";
import { UsageError } from "../usage-error.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** `izo restore`: puts back what stood at a path, as ordinary operations. */
export function restoreCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("restore")
      .description("put back a file, or a directory with all in it, as it was")
      .argument("<what>", "a URL, or a path on a mount or in the export")
      .argument("[path]", "the file or directory, as a path of the fileset")
      .addOption(
        new Option("--at <place>", "behind this record, or at a @time")
          .argParser(parsePlace)
          .makeOptionMandatory(),
      )
      .option("--to <path>", "put it here; without it, where it was")
      .option("--overwrite", "replace files that are there")
      .option("--dry-run", "print what would be put where, and do nothing"),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Contents come from the server, with mode, modification time, extended attributes and, as root, owner.
What is written on a mount, or into the exported directory on the server's machine, is a change like any
other. Directories that are there take in what comes; nothing is removed. Where a file would be replaced
nothing is done without --overwrite.

Examples:
  izo restore /mnt/project/src/main.c --at 4120
  izo restore /mnt/project/src --at @1d --to /mnt/project/src.yesterday
  izo restore /srv/project/src --at 4120        where it is exported`,
    )
    .action(async (what, path, options) => {
      const output = outputOf(cli, options);
      await using subject = openSubject(what, path, options, cli);
      const target = targetOf(subject, options.to, cli);
      const place = { history: subject.remote.history, at: options.at, signal: cli.signal };
      const mayOverwrite = options.overwrite === true;
      const items = await planRestore(place, subject.path, target, mayOverwrite);
      if (options.dryRun === true) {
        for (const item of items) report(item, "would restore", output);
        return;
      }
      await restoreAll(place, items, output);
    });
}

function targetOf(
  { root, path }: HistorySubject,
  to: string | undefined,
  { cwd }: Pick<Cli, "cwd">,
): string {
  if (to !== undefined) return resolve(cwd, to);
  if (root !== null) return join(root, path);
  throw new UsageError(
    "Cannot restore: where to is not said",
    "name a path on a mount or in the export, or give --to PATH",
  );
}

/** What cannot be had is told, and the rest goes on. */
async function restoreAll(
  place: RestorePlace,
  items: readonly RestoredItem[],
  output: Output,
): Promise<void> {
  const made = new Map<Oid, RestoredItem>();
  const failures: Error[] = [];
  for (const item of items) {
    const { oid, kind } = item.object;
    const first = kind === "directory" ? undefined : made.get(oid);
    try {
      if (first !== undefined) restoreLink(first, item);
      // oxlint-disable-next-line no-await-in-loop -- a directory before what it holds
      else await restoreItem(place, item);
      made.set(oid, item);
      report(item, "restored", output);
    } catch (error) {
      if (!(error instanceof Error) || place.signal.aborted) throw error;
      failures.push(error);
      output.warn(error.message);
    }
  }
  for (const item of items.toReversed()) {
    if (item.object.kind === "directory") finishDirectory(item);
  }
  const [failure] = failures;
  if (failure === undefined) return;
  const count = `${formatCount(failures.length)} of ${formatCount(items.length)}`;
  throw new IzoError(
    "not-restored",
    `Cannot restore ${count}: the reasons are above`,
    {},
    {
      cause: failure,
    },
  );
}

function report({ object, path, target }: RestoredItem, doing: string, output: Output): void {
  const to = target.toString();
  output.result({ path, to, kind: object.kind }, `${doing} ${to}`);
}
