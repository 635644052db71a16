import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { PlannedUndo, UndoneOtherwise, UndoSelection } from "@izo/client";
import type { Actor, Recno } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { describeOtherwise, describeUndo, undoToJson } from "../history/describe-undo.ts";
import { type HistorySubject, openSubject } from "../history/history-subject.ts";
import { parsePlaceRange, type PlaceRange } from "../history/parse-place.ts";
import { confirm } from "../output/confirm.ts";
import type { Output } from "../output/output.ts";
import { formatCount } from "../output/quantity.ts";
import { UsageError } from "../usage-error.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";
import { parseRecno } from "./parse-number.ts";

/** `izo undo`: takes back what records did, and keeps what others did since. */
export function undoCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("undo")
      .description("take back what records of the log did, and keep what others did since")
      .argument("<what>", "a URL, or a path on a mount or in the export")
      .argument("[path]", "only records about this path of the fileset, or below it")
      .addOption(
        new Option("--range <from..to>", "the records behind one place up to another").argParser(
          parsePlaceRange,
        ),
      )
      .addOption(new Option("--record <recno>", "this one record").argParser(parseRecno))
      .addOption(
        new Option("--peer <id>", "only what this peer did; enough of its id").argParser(parsePeer),
      )
      .option("--dry-run", "print what would be done, and change nothing")
      .option("-y, --yes", "do not ask"),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A place is a record number, @ and a time, or @ and an age; nothing behind the dots means up to now. What
was removed returns, with its content for as long as the server keeps it; what was changed is as it was
before; what was made goes. What somebody else has changed, moved or replaced since is left alone, and
listed.

Nothing is rewritten: an undo is records like all others, made by a peer of its own. izo undo --peer with
that peer takes the undo back. The contents stay on the server. With --json the plan and what became of it.

Examples:
  izo undo http://nas:8370/rootfset --range @10min.. --peer 3f2a91c0 --dry-run
  izo undo /mnt/project/src --range 4120..4188
  izo undo /mnt/project --record 4131 --yes`,
    )
    .action(async (what, path, options) => {
      const output = outputOf(cli, options);
      const { from, to } = rangeOf(options);
      await using subject = openSubject(what, path, options, cli);
      const planned = await planUndo(subject, cli.signal, {
        after: from,
        path: subject.path,
        ...(to !== undefined && { until: to }),
        ...(options.peer !== undefined && { peer: options.peer }),
      });
      const { operations } = planned.plan;
      if (options.dryRun === true || operations.length === 0) {
        output.result({ ...undoToJson(planned), isDryRun: true }, describeUndo(planned));
        return;
      }
      if (options.yes !== true) {
        output.say(describeUndo(planned));
        if (!(await confirm(`Make these ${formatCount(operations.length)} changes?`, cli))) {
          output.say("nothing was changed");
          return;
        }
      }
      await applyUndo(subject, planned, output, cli.signal);
    });
}

async function planUndo(
  { remote }: HistorySubject,
  signal: AbortSignal,
  selection: UndoSelection,
): Promise<PlannedUndo> {
  const { planRemoteUndo } = await import("@izo/client");
  return planRemoteUndo(remote, selection, signal);
}

async function applyUndo(
  { remote }: HistorySubject,
  planned: PlannedUndo,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { applyRemoteUndo } = await import("@izo/client");
  const { operations, leftAlone } = planned.plan;
  let otherwise: UndoneOtherwise[];
  {
    using display = output.progress("undoing");
    const show = (done: number) =>
      display.update({ done, total: operations.length, unit: "changes" });
    otherwise = await applyRemoteUndo(remote, planned, actor(), signal, show);
  }
  const results = otherwise.map(({ result }) => result);
  const lines = [
    `${formatCount(operations.length - otherwise.length)} changes made, by peer ${planned.peer.slice(0, 8)}`,
    ...(otherwise.length === 0
      ? []
      : ["not as planned, because somebody was faster:", ...describeOtherwise(otherwise)]),
    ...(leftAlone.length === 0
      ? []
      : [`${formatCount(leftAlone.length)} left alone (--json lists them)`]),
  ];
  output.result({ ...undoToJson(planned), isDryRun: false, otherwise: results }, lines.join("\n"));
}

function rangeOf(options: {
  readonly range?: PlaceRange | undefined;
  readonly record?: Recno | undefined;
}): PlaceRange {
  const { range, record } = options;
  if (range !== undefined && record === undefined) return range;
  if (record !== undefined && record > 0 && range === undefined) {
    const before = { kind: "recno", recno: (record - 1) as Recno } as const;
    return { from: before, to: { kind: "recno", recno: record } };
  }
  throw new UsageError(
    "Cannot undo: which records is not said",
    "give either --range FROM..TO or --record RECNO",
  );
}

function parsePeer(text: string): string {
  if (/^[0-9a-f]{4,32}$/.test(text)) return text;
  throw new InvalidArgumentError("A peer is at least 4 of its 32 hexadecimal digits.");
}

function actor(): Actor {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return { uid, gid, groups: process.getgroups?.() ?? [], command: "izo undo" };
}
