import { Command, Option } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { withTimeout } from "../with-timeout.ts";
import { jsonOption } from "./json-option.ts";
import { parseRecno, parseSeconds } from "./parse-number.ts";

/** `izo wait`: returns when a mount has replayed a record, so that scripts never wait for time. */
export function waitCommand(cli: Cli) {
  return new Command("wait")
    .description("wait until a mount has replayed the server's log up to a record")
    .argument("<mnt>", "where it is mounted")
    .addOption(new Option("--recno <n>", "the record").argParser(parseRecno).makeOptionMandatory())
    .addOption(
      new Option("--timeout <seconds>", "give up after this time (exit status 6)").argParser(
        parseSeconds,
      ),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
On the machine that must see what another one flushed: the record is what izo flush printed there.

Example:
  izo wait /mnt/project --recno 1041 --timeout 10`,
    )
    .action(async (mnt, options) => {
      const { control } = findMount(mnt);
      await withTimeout(`wait for record ${options.recno}`, options.timeout, cli.signal, (signal) =>
        control.waitFor(options.recno, signal),
      );
      const { recno } = await control.status();
      outputOf(cli, options).result({ recno }, `replayed up to record ${recno}`);
    });
}
