import { Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { findPathsInMount } from "../mounts/path-in-mount.ts";
import { jsonOption } from "./json-option.ts";

/** `izo pin`: keeps files, or all below a directory, in the cache. */
export function pinCommand(cli: Cli) {
  return new Command("pin")
    .description("keep files, or all that is and comes below a directory, in the cache")
    .argument("<path...>", "files or directories on one mount")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
What is pinned is fetched in the background and never leaves the cache, so that it can be read without
the server. A pin follows its file or directory wherever it is moved, on this machine or another.
izo status shows what is still missing.

Examples:
  izo pin /mnt/project/docs /mnt/project/src/main.c
  izo pin /mnt/project                     everything`,
    )
    .action(async (given, options) => {
      const { mount, paths } = findPathsInMount(given);
      const pins = await mount.control.pin(paths);
      outputOf(cli, options).result(
        { mountPoint: mount.mountPoint, pins },
        `${mount.mountPoint}: ${paths.length} pinned, ${pins.length} pins in all`,
      );
    });
}
