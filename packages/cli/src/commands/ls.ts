import { Command, Option } from "@commander-js/extra-typings";
import type { ListedEntry } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { openSubject } from "../history/history-subject.ts";
import { listOrLookUp } from "../history/list-or-look-up.ts";
import { parsePlace } from "../history/parse-place.ts";
import { formatMode } from "../output/format-mode.ts";
import { printable } from "../output/printable.ts";
import { formatTable } from "../output/table.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** `izo ls`: a directory as it was. */
export function lsCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("ls")
      .description("list a directory of the server as it was, or as it is")
      .argument("<what>", "a URL, or a path on a mount or in the export")
      .argument("[path]", "the directory or file, as a path of the fileset")
      .addOption(
        new Option("--at <place>", "behind this record, or at a @time").argParser(parsePlace),
      ),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
With --json one object per entry.

Examples:
  izo ls /mnt/project/src --at 4120
  izo ls http://nas:8370/rootfset src --at @2026-03-01T09:30
  izo ls /mnt/project --at @2h --json | jq -r .name`,
    )
    .action(async (what, path, options) => {
      const output = outputOf(cli, options);
      await using subject = openSubject(what, path, options, cli);
      const entries = await listOrLookUp(subject, options.at, cli.signal);
      if (output.isJson) {
        for (const { xattrs, mtimeNs, ...entry } of entries) {
          output.result({ ...entry, mtimeNs: String(mtimeNs), xattrs: [...xattrs.keys()] }, "");
        }
      } else output.say(entries.length === 0 ? "the directory is empty" : formatEntries(entries));
    });
}

function formatEntries(entries: readonly ListedEntry[]): string {
  const columns = [
    { title: "mode" },
    { title: "owner" },
    { title: "bytes", align: "right" },
    { title: "modified" },
    { title: "name" },
  ] as const;
  const rows = entries.map((entry) => [
    formatMode(entry),
    `${entry.uid}:${entry.gid}`,
    entry.kind === "file" ? String(entry.sizeBytes) : "",
    timeOf(entry),
    printable(entry.name) + (entry.kind === "symlink" ? ` → ${printable(entry.target)}` : ""),
  ]);
  return formatTable(columns, rows);
}

function timeOf({ mtimeNs }: ListedEntry): string {
  const date = new Date(Number(mtimeNs / 1_000_000n));
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 19).replace("T", " ");
}
