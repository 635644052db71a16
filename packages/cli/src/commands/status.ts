import { Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { readStatus } from "../status/read-status.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";

/** `izo status`: how far a mount or a server is, and what it waits for. */
export function statusCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("status")
      .description("show how far a mount or a served fileset is")
      .argument("<what>", "a mount point, or http://HOST:PORT/FILESET"),
  )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The first line answers: is everything done here on the server, and what does it wait for.

Of a mount: answer (isSafe, sentence), state, sinceMs, isForcedOffline, offlinePolicy, waitingPrograms, kept (what is
pinned and hoarded, and how much of it is missing), cacheQuotaBytes, mode, recno (replayed), headRecno
(the server's), lagMs (since this mount last had all that the server had; 0 while it has), pending (changes
that the server has not acknowledged), pendingBytes, waitsFor (the first of them for each reason why it
waits: reason, opcode, path, sinceMs, message, retryAtMs), mostPending (from so many on, changes fail with ENOSPC),
throttleMs (above 0 while programs are held up, because more changes wait than the server takes), transfers
(contents under way), longWritten (files that a program writes without a pause: they are sent every 30 s),
conflicts, cachedBytes, driver (what speaks to the kernel and why, and requests: how often the kernel asked for
what). Of a fileset: answer, headRecno, oldestRecno, files, bytes, logBytes, oldContents (replaced or removed, and
kept), peers.

Examples:
  izo status /mnt/project
  izo status /mnt/project --json | jq -e .answer.isSafe && systemctl poweroff
  izo status http://nas:8370/rootfset --json | jq .headRecno`,
    )
    .action(async (what, options) => {
      const { value, text } = await readStatus(what, options, cli);
      outputOf(cli, options).result(value, text);
    });
}
