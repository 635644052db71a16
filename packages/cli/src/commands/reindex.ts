import { Command, Option } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { formatCount } from "../output/quantity.ts";
import { jsonOption } from "./json-option.ts";

/** `izo reindex`: the index of an export, made anew from its log. */
export function reindexCommand(cli: Cli) {
  return new Command("reindex")
    .description("make the index of an export anew from its log")
    .argument("<dir>", "an exported directory that nobody serves")
    .addOption(
      new Option("--fileset <name>", "its name in URLs").env("IZO_FILESET").default("rootfset"),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The log is the truth and the index follows from it. The old index is kept beside the new one. The next
start reads every file once, as the first one did, and logs nothing for what has not changed.

Examples:
  izo reindex /srv/project`,
    )
    .action(async (dir, options) => {
      const { reindexExport } = await import("@izo/server");
      const output = outputOf(cli, options);
      const bar = output.progress("Replaying");
      const reindexed = await reindexExport({
        dir,
        filesetName: options.fileset,
        onProgress: (recno, head) => bar.update({ done: recno, total: head, unit: "records" }),
      }).finally(() => bar[Symbol.dispose]());
      const { records, putAside } = reindexed;
      const kept = putAside === null ? "" : `; the old index is kept as "${putAside}"`;
      output.result(reindexed, `indexed ${formatCount(records)} records${kept}`);
    });
}
