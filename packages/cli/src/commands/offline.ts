import { Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { jsonOption } from "./json-option.ts";

/** `izo offline`: keeps a mount from asking its server. */
export function offlineCommand(cli: Cli) {
  return new Command("offline")
    .description("keep a mount offline, whatever the network does, until izo online")
    .argument("<mnt>", "where it is mounted")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
What is cached can be read, everything can be changed, and nothing is sent or fetched. It holds across
unmounting and restarts. izo status shows it as "offline (forced)".

Examples:
  izo offline /mnt/project                 before a flight, or on an expensive line
  izo online /mnt/project && izo flush /mnt/project`,
    )
    .action(async (mnt, options) => {
      const { mountPoint, control } = findMount(mnt);
      const { isForcedOffline } = await control.changeSettings({ isForcedOffline: true });
      outputOf(cli, options).result(
        { mountPoint, isForcedOffline },
        `${mountPoint}: offline until: izo online ${mountPoint}`,
      );
    });
}
