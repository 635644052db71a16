import { Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { endMount } from "../mounts/end-mount.ts";
import { findMount } from "../mounts/open-mount.ts";
import { jsonOption } from "./json-option.ts";

/** `izo umount`: ends a mount; its cache and what the server has not acknowledged stay on disk. */
export function umountCommand(cli: Cli) {
  return new Command("umount")
    .description("unmount; the cache and changes not yet acknowledged stay for the next mount")
    .argument("<mnt>", "where it is mounted")
    .option("--lazy", "detach at once, although programs have files open there")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Fails while a program has files open there, unless --lazy is given. A mount whose process has died is
cleared away. To be sure that the server has every change, flush first.

Examples:
  izo flush /mnt/project && izo umount /mnt/project
  izo umount --lazy /mnt/project`,
    )
    .action(async (mnt, options) => {
      const mount = findMount(mnt);
      const ending = await endMount(mount, options.lazy === true);
      const { mountPoint } = mount;
      outputOf(cli, options).result({ mountPoint, ending }, `${mountPoint}: ${ending}`);
    });
}
