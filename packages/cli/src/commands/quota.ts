import { Argument, Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { formatBytes } from "../output/quantity.ts";
import { jsonOption } from "./json-option.ts";
import { parseSizeOrNone } from "./parse-size.ts";

/** `izo quota`: how much content a cache keeps. */
export function quotaCommand(cli: Cli) {
  return new Command("quota")
    .description("show or change how much content the cache of a mount keeps")
    .argument("<mnt>", "where it is mounted")
    .addArgument(
      new Argument("[size]", 'the new quota, like 10GiB, or "none"').argParser(parseSizeOrNone),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Beyond the quota content leaves the cache, down to nine tenths of it: first what nothing asks to keep,
then what is hoarded, by priority, and of equal ones what was used longest ago. What is pinned, open, or
not on the server yet never leaves, and while the server is away nothing does. What programs open and
write always has its place, if need be beyond the quota.

Examples:
  izo quota /mnt/project 10GiB
  izo quota /mnt/project none              as much as the disk holds
  izo quota /mnt/project`,
    )
    .action(async (mnt, size, options) => {
      const { mountPoint, control } = findMount(mnt);
      const change = size === undefined ? {} : { cacheQuotaBytes: size };
      const { cacheQuotaBytes } = await control.changeSettings(change);
      const text = cacheQuotaBytes === null ? "none" : formatBytes(cacheQuotaBytes);
      outputOf(cli, options).result({ mountPoint, cacheQuotaBytes }, text);
    });
}
