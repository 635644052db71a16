import { Command } from "@commander-js/extra-typings";
import type { PinnedObject } from "@izo/client";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { jsonOption } from "./json-option.ts";

/** `izo pins`: what is pinned on a mount. */
export function pinsCommand(cli: Cli) {
  return new Command("pins")
    .description("list what is pinned on a mount")
    .argument("<mnt>", "where it is mounted")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Shows where each is now, and where it was when it was pinned if that differs.

Examples:
  izo pins /mnt/project
  izo pins /mnt/project --json | jq -r '.pins[].path'`,
    )
    .action(async (mnt, options) => {
      const { mountPoint, control } = findMount(mnt);
      const pins = await control.pins();
      const text = pins.length === 0 ? "nothing is pinned" : pins.map(describePin).join("\n");
      outputOf(cli, options).result({ mountPoint, pins }, text);
    });
}

function describePin({ path, pinnedPath }: PinnedObject): string {
  if (path === null) return `${pinnedPath} (removed)`;
  return path === pinnedPath ? path : `${path} (pinned as ${pinnedPath})`;
}
