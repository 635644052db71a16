import { Command, Option } from "@commander-js/extra-typings";
import type { SalvagePlan } from "@izo/client";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { formatCount } from "../output/quantity.ts";
import { withTimeout } from "../with-timeout.ts";
import { jsonOption } from "./json-option.ts";
import { parseSeconds } from "./parse-number.ts";

/** `izo salvage`: what to do about a server that was restored from a backup. */
export function salvageCommand(cli: Cli) {
  return new Command("salvage")
    .description("bring back what a server that was restored from a backup has lost")
    .argument("<mnt>", "a mount whose status is diverged")
    .option("--dry-run", "print what would be brought back, and change nothing")
    .addOption(
      new Option("--timeout <seconds>", "give up after this time (exit status 6)").argParser(
        parseSeconds,
      ),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A server whose log ends before what a mount has replayed was restored from a backup. The mount then pulls
and pushes nothing until somebody decides; programs go on as if offline.

This command makes records of all that the mount has and the server has lost, and pushes them, followed by
what was waiting. Run it on every mount that has something: what several bring merges. What the server
removed in the lost time comes back too.

If the server was set back on purpose and shall stay as it is, mount it with a new --cache instead, and
keep the old cache directory until nobody needs what is below its tree/.

Examples:
  izo salvage /mnt/project --dry-run
  izo salvage /mnt/project && izo flush /mnt/project`,
    )
    .action(async (mnt, options) => {
      const { control } = findMount(mnt);
      const output = outputOf(cli, options);
      await withTimeout("salvage", options.timeout, cli.signal, async (signal) => {
        const plan = await control.planSalvage(signal);
        if (options.dryRun === true) {
          output.result(plan, describePlan(plan));
          return;
        }
        await control.salvage(signal);
        output.result(plan, `${formatCount(plan.changes.length)} changes wait to be pushed`);
      });
    });
}

function describePlan(plan: SalvagePlan): string {
  const { commonRecno, replayedRecno, serverRecno, changes, absent, pending } = plan;
  const lines = [
    `replayed here up to record ${replayedRecno}; the server's log ends at ${serverRecno}`,
    `both are the same up to record ${commonRecno}, as far as is known here`,
    ...changes.map(({ opcode, path }) => `  ${opcode} ${path}`),
    `${formatCount(changes.length)} changes would be brought back; ${formatCount(pending)} more wait`,
  ];
  if (absent.length === 0) return lines.join("\n");
  const elsewhere = `not in this cache, another mount may have it:`;
  return [...lines, elsewhere, ...absent.map((path) => `  ${path}`)].join("\n");
}
