import { Command, Option } from "@commander-js/extra-typings";
import { type BlamedEntry, formatTimeNs, type PeerId, recordToJson } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { describeAuthor, hostNames } from "../history/describe-author.ts";
import { openSubject } from "../history/history-subject.ts";
import { parsePlace } from "../history/parse-place.ts";
import { printable } from "../output/printable.ts";
import { formatTable } from "../output/table.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** `izo blame`: who last changed each entry of a directory. */
export function blameCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("blame")
      .description("say of each entry of a directory who last changed it, and when")
      .argument("<what>", "a URL, or a path on a mount or in the export")
      .argument("[path]", "the directory, as a path of the fileset")
      .addOption(
        new Option("--at <place>", "as it was behind a record, or at a @time").argParser(
          parsePlace,
        ),
      ),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
What counts is the entry itself: its name, and the content and attributes of what has it; of a directory
not what is in it. With --json one object per entry.

Examples:
  izo blame /mnt/project/src
  izo blame http://nas:8370/rootfset src --at @1d`,
    )
    .action(async (what, path, options) => {
      const output = outputOf(cli, options);
      await using subject = openSubject(what, path, options, cli);
      const { remote } = subject;
      const entries = await remote.history.blame(subject.path, options.at, cli.signal);
      if (output.isJson) {
        for (const entry of entries) {
          const record = entry.record && recordToJson(entry.record);
          output.result({ ...entry, record }, "");
        }
        return;
      }
      const hosts = await hostNames(remote, cli.signal);
      output.say(entries.length === 0 ? "the directory is empty" : formatEntries(entries, hosts));
    });
}

function formatEntries(
  entries: readonly BlamedEntry[],
  hosts: ReadonlyMap<PeerId, string>,
): string {
  const columns = [
    { title: "record", align: "right" },
    { title: "time" },
    { title: "what" },
    { title: "who" },
    { title: "entry" },
  ] as const;
  const rows = entries.map(({ name, kind, recno, record }) => [
    String(recno),
    record === null ? "" : formatTimeNs(record.authorTimeNs).slice(0, 19).replace("T", " "),
    record === null ? "cut off the log" : record.operation.opcode,
    record === null ? "" : describeAuthor(record, hosts),
    `${printable(name)}${kind === "directory" ? "/" : ""}`,
  ]);
  return formatTable(columns, rows);
}
