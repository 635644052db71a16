import { Argument, Command } from "@commander-js/extra-typings";
import { OFFLINE_POLICIES } from "@izo/client";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { jsonOption } from "./json-option.ts";

/** `izo offline-policy`: shows or changes what becomes of programs that want absent content offline. */
export function offlinePolicyCommand(cli: Cli) {
  return new Command("offline-policy")
    .description("show or change what a program gets that opens absent content without a server")
    .argument("<mnt>", "where it is mounted")
    .addArgument(new Argument("[policy]", "the new policy").choices(OFFLINE_POLICIES))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
  fail  the error EHOSTUNREACH ("No route to host"), at once
  wait  nothing, until the server is back, the policy is changed, or the mount is taken down; a signal
        does not end it. 32 programs can wait at a time, further ones get the error

A change counts at once, also for programs that wait already, and for the next mount of the cache.

Examples:
  izo offline-policy /mnt/project
  izo offline-policy /mnt/project wait`,
    )
    .action(async (mnt, policy, options) => {
      const { mountPoint, control } = findMount(mnt);
      const change = policy === undefined ? {} : { offlinePolicy: policy };
      const { offlinePolicy } = await control.changeSettings(change);
      outputOf(cli, options).result({ mountPoint, offlinePolicy }, offlinePolicy);
    });
}
