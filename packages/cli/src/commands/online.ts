import { Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { jsonOption } from "./json-option.ts";

/** `izo online`: lets a mount ask its server again, at once. */
export function onlineCommand(cli: Cli) {
  return new Command("online")
    .description("let a mount ask its server again, at once; ends izo offline")
    .argument("<mnt>", "where it is mounted")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
It does not wait for the server: izo flush does. For a mount that lost its server by itself it ends the
wait before the next attempt.

Examples:
  izo online /mnt/project
  izo online /mnt/project && izo flush /mnt/project --timeout 60`,
    )
    .action(async (mnt, options) => {
      const { mountPoint, control } = findMount(mnt);
      const { isForcedOffline } = await control.changeSettings({ isForcedOffline: false });
      outputOf(cli, options).result(
        { mountPoint, isForcedOffline },
        `${mountPoint}: asks its server again`,
      );
    });
}
