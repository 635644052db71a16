import { Command, Option } from "@commander-js/extra-typings";
import { IzoError } from "@izo/core";
import type { Difference, Inspection } from "@izo/server";

import { type Cli, outputOf } from "../cli.ts";
import type { Output } from "../output/output.ts";
import { formatBytes, formatCount } from "../output/quantity.ts";
import { jsonOption } from "./json-option.ts";

/** `izo verify`: tree = index = replay = contents, or what differs and since when. */
export function verifyCommand(cli: Cli) {
  return new Command("verify")
    .description("check that log, index, tree and contents of an export agree")
    .argument("<dir>", "an exported directory, served or not")
    .addOption(
      new Option("--fileset <name>", "its name in URLs").env("IZO_FILESET").default("rootfset"),
    )
    .option("--quick", "compare stats only, and hash no file")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Nothing is changed. Every record of the log is checked and replayed; the result is compared with the
index and with the directory, and every file is hashed. What differs is printed with the last record that
touched it, and why: "damaged" is explained by nothing that a program did, "unlogged" is a change that the
server logs when it looks next, "refused" is what the disk did not take, such as an owner without root.
While the export is served, what differs is looked at again for some seconds.

Exit status: 0 all agree, 1 something differs, 5 the log itself is damaged.

Examples:
  izo verify /srv/project
  izo verify /srv/project --quick
  izo verify /srv/project --json | jq -r '.differences[].path'`,
    )
    .action(async (dir, options) => {
      const { inspectExport } = await import("@izo/server");
      const output = outputOf(cli, options);
      const bar = output.progress("Verifying");
      const inspection = await inspectExport({
        dir,
        filesetName: options.fileset,
        isQuick: options.quick === true,
        signal: cli.signal,
        onProgress: ({ of, done, bytes }) => {
          const unit = of === "log" ? "records" : "names";
          bar.update({ done, total: undefined, unit, detail: formatBytes(bytes) });
        },
      }).finally(() => bar[Symbol.dispose]());
      show(inspection, output);
      if (inspection.differences.length > 0) throw new DiffersError(dir, inspection.differences);
    });
}

/** Something differs. Printed already; the exit status says it to programs. */
class DiffersError extends IzoError {
  constructor(what: string, differences: readonly Difference[]) {
    const isLogDamaged = differences.some(({ between }) => between === "log");
    const count =
      differences.length === 1 ? "1 place differs" : `${differences.length} places differ`;
    super(
      isLogDamaged ? "kml-damaged" : "differs",
      `Cannot call "${what}" sound: ${isLogDamaged ? "its log is damaged" : count}`,
      { differences: differences.length },
    );
  }
}

function show(inspection: Inspection, output: Output): void {
  const { differences, notices, headRecno, oldestRecno, entries, bytes } = inspection;
  for (const difference of output.isJson ? [] : differences)
    output.say(formatDifference(difference));
  for (const notice of output.isJson ? [] : notices) output.say(`note: ${notice}`);
  const count =
    differences.length === 0 ? "all agree" : `${formatCount(differences.length)} differ`;
  const compared = `${formatCount(entries)} names, ${formatBytes(bytes)}`;
  output.result(inspection, `records ${oldestRecno} to ${headRecno}, ${compared}: ${count}`);
}

function formatDifference({ path, between, cause, found, since }: Difference): string {
  const after = since === null ? "" : `, since record ${since}`;
  return `${cause}: ${path} (${between}${after}): ${found}`;
}
