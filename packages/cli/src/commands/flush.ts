import { Command, Option } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { describePlan } from "../conflicts/describe-plan.ts";
import { findMount } from "../mounts/open-mount.ts";
import { describeWait } from "../status/describe-wait.ts";
import { withTimeout } from "../with-timeout.ts";
import { jsonOption } from "./json-option.ts";
import { parseSeconds } from "./parse-number.ts";

/** `izo flush`: returns when the server has acknowledged everything that was done before. */
export function flushCommand(cli: Cli) {
  return new Command("flush")
    .description("wait until the server has acknowledged every change made here so far")
    .argument("<mnt>", "where it is mounted")
    .addOption(
      new Option("--timeout <seconds>", "give up after this time (exit status 6)").argParser(
        parseSeconds,
      ),
    )
    .option("--dry-run", "print what would become of each change, and send nothing")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A dry run judges what waits, after optimizing, by the rules of the server against the server's tree as it
is known here. What others have done since is not in it.

Examples:
  make -C /mnt/project && izo flush /mnt/project
  izo flush /mnt/project --timeout 30
  izo flush /mnt/project --dry-run`,
    )
    .action(async (mnt, options) => {
      const { control } = findMount(mnt);
      if (options.dryRun === true) {
        const plan = await control.planPush();
        outputOf(cli, options).result(plan, describePlan(plan));
        return;
      }
      const whatWaits = async (): Promise<string> => {
        const { pending, waitsFor } = await control.status();
        const nowMs = Date.now();
        const reasons = waitsFor.map((wait) => `\n  ${describeWait(wait, nowMs)}`).join("");
        return `${pending} changes wait; see all of them with: izo log ${mnt} --pending${reasons}`;
      };
      await withTimeout(
        "flush",
        options.timeout,
        cli.signal,
        (signal) => control.flush(signal),
        whatWaits,
      );
      const { recno, pending } = await control.status();
      outputOf(cli, options).result({ recno, pending }, `flushed: replayed up to record ${recno}`);
    });
}
