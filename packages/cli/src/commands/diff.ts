import { Command } from "@commander-js/extra-typings";
import type { HttpRemote } from "@izo/client";
import {
  diffTrees,
  type LogPlace,
  MemoryState,
  NO_RECNO,
  putSnapshotRow,
  type TreeDifference,
  type TreeObject,
} from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { openSubject } from "../history/history-subject.ts";
import { diffContents, type NamedContent } from "../history/old-content.ts";
import { parsePlaceRange } from "../history/parse-place.ts";
import type { Output } from "../output/output.ts";
import { printable } from "../output/printable.ts";
import { formatBytes, formatCount } from "../output/quantity.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** `izo diff`: what differs between the trees behind two places of the log. */
export function diffCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("diff")
      .description("say what differs between two places of the log")
      .argument("<what>", "a URL, or a path on a mount or in the export")
      .argument("<from..to>", "two places; up to now without the second", parsePlaceRange)
      .argument("[path]", "only this path of the fileset, and what is below it")
      .option("--stat", "only how much, not what")
      .option("--patch", "what differs in contents, as unified diffs"),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A place is a record number, @ and a time, or @ and an age. A is added, D removed, R renamed, M modified;
behind a path stand its attributes that differ. What a renamed directory holds is not named. Contents can
be compared for as long as the server keeps both. With --json one object per path.

Examples:
  izo diff /mnt/project 4120..4188
  izo diff /mnt/project/src @1d.. --patch
  izo diff http://nas:8370/rootfset @2026-03-01..@2026-04-01 --stat`,
    )
    .action(async (what, { from, to }, path, options) => {
      const output = outputOf(cli, options);
      const { signal } = cli;
      await using subject = openSubject(what, path, options, cli);
      const { remote } = subject;
      const until = to ?? (await headOf(remote, signal));
      const before = await fetchState(remote, from, until, signal);
      const after = await fetchState(remote, until, from, signal);
      const differences = diffTrees(before, after).filter((one) => isBelow(one, subject.path));
      if (options.stat === true) {
        const stat = statOf(differences);
        output.result(stat, describeStat(stat));
        return;
      }
      for (const difference of differences) {
        const patch =
          options.patch === true ? await patchOf(remote, difference, signal) : undefined;
        print(difference, patch, output);
      }
      if (differences.length === 0) output.say("no differences");
    });
}

async function headOf(remote: HttpRemote, signal: AbortSignal): Promise<LogPlace> {
  const { head } = await remote.profile(signal);
  return { kind: "recno", recno: head.recno };
}

async function fetchState(
  remote: HttpRemote,
  at: LogPlace,
  against: LogPlace,
  signal: AbortSignal,
): Promise<MemoryState> {
  const state = new MemoryState();
  for await (const row of remote.history.tree(at, against, signal)) {
    putSnapshotRow(row, state, NO_RECNO);
  }
  return state;
}

function isBelow({ path, from }: TreeDifference, directory: string): boolean {
  const below = directory === "/" ? "/" : `${directory}/`;
  return [path, from].some((one) => one === directory || (one?.startsWith(below) ?? false));
}

async function patchOf(
  remote: HttpRemote,
  { before, after, isContentChanged }: TreeDifference,
  signal: AbortSignal,
): Promise<string[]> {
  const isOneFile = before?.kind === "file" || after?.kind === "file";
  const isChanged = isContentChanged || before === null || after === null;
  if (!isOneFile || !isChanged) return [];
  return diffContents(remote, contentOf(before), contentOf(after), signal);
}

function contentOf(object: TreeObject | null): NamedContent | null {
  if (object?.kind !== "file" || object.sha256 === null) return null;
  return { sha256: object.sha256, sizeBytes: object.sizeBytes };
}

const LETTERS = { added: "A", removed: "D", modified: "M", renamed: "R" } as const;

function print(difference: TreeDifference, patch: string[] | undefined, output: Output): void {
  const { change, path, from, before, after, isContentChanged, attributes } = difference;
  const paths = from === null ? printable(path) : `${printable(from)} → ${printable(path)}`;
  const isDirectory = (after ?? before)?.kind === "directory";
  const what = [...(isContentChanged ? ["content"] : []), ...attributes];
  const details = change === "added" || what.length === 0 ? "" : `  (${what.join(", ")})`;
  const line = `${LETTERS[change]} ${paths}${isDirectory ? "/" : ""}${details}`;
  const value = {
    change,
    path,
    from,
    kind: (after ?? before)!.kind,
    isContentChanged,
    attributes,
    before: contentOf(before),
    after: contentOf(after),
    ...(patch !== undefined && { patch }),
  };
  output.result(value, [line, ...(patch ?? [])].join("\n"));
}

interface DiffStat {
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
  readonly renamed: number;
  /** Bytes of files in the later tree less those in the earlier, where they differ. */
  readonly grownBytes: number;
}

function statOf(differences: readonly TreeDifference[]): DiffStat {
  const count = (wanted: TreeDifference["change"]): number =>
    differences.filter(({ change }) => change === wanted).length;
  return {
    added: count("added"),
    removed: count("removed"),
    modified: count("modified"),
    renamed: count("renamed"),
    grownBytes: differences.reduce(
      (sum, { before, after }) => sum + (after?.sizeBytes ?? 0) - (before?.sizeBytes ?? 0),
      0,
    ),
  };
}

function describeStat({ added, removed, modified, renamed, grownBytes }: DiffStat): string {
  const counts = { added, removed, modified, renamed };
  const parts = Object.entries(counts).map(([name, count]) => `${formatCount(count)} ${name}`);
  const sign = grownBytes < 0 ? "-" : "+";
  return `${parts.join(", ")}, ${sign}${formatBytes(Math.abs(grownBytes))}`;
}
