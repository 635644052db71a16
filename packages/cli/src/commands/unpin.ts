import { Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { findPathsInMount } from "../mounts/path-in-mount.ts";
import { jsonOption } from "./json-option.ts";

/** `izo unpin`: lets go what was pinned. */
export function unpinCommand(cli: Cli) {
  return new Command("unpin")
    .description("let go what was pinned: it may leave the cache again")
    .argument("<path...>", "files or directories on one mount")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A path is where the pinned file or directory is now, or was when it was pinned: see izo pins. What is
pinned below stays so.

Examples:
  izo unpin /mnt/project/docs`,
    )
    .action(async (given, options) => {
      const { mount, paths } = findPathsInMount(given);
      const pins = await mount.control.unpin(paths);
      outputOf(cli, options).result(
        { mountPoint: mount.mountPoint, pins },
        `${mount.mountPoint}: ${paths.length} let go, ${pins.length} pins left`,
      );
    });
}
