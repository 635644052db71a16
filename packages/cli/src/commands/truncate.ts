import { Command, Option } from "@commander-js/extra-typings";
import type { PeerStanding } from "@izo/core";
import type { Truncated } from "@izo/server";

import { type Cli, outputOf } from "../cli.ts";
import { formatBytes, formatCount } from "../output/quantity.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";
import { parseAge } from "./parse-age.ts";
import { parseRecno } from "./parse-number.ts";

/** `izo truncate`: cuts the front off a server's log, now. */
export function truncateCommand(cli: Cli) {
  return new Command("truncate")
    .description("cut the front off the log of a served directory, now")
    .argument("<dir>", "the directory that this machine serves")
    .addOption(
      new Option("--before <recno>", "keep the records from here on").argParser(parseRecno),
    )
    .addOption(
      new Option("--older-than <age>", "keep younger records: 90s, 30min, 12h, 7d")
        .argParser(parseAge)
        .conflicts("before"),
    )
    .option("--dry-run", "say what would go, and change nothing")
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A running server does this by itself; without --before and --older-than this command does what it would
do. The files are not touched, and neither is what peers need that were seen lately: forget those that
will not come back (izo peers forget). A client that lacks what was cut off takes a snapshot, and keeps
what it has not sent.

Examples:
  izo truncate /srv/project --older-than 7d --dry-run
  izo truncate /srv/project --before 120000`,
    )
    .action(async (dir, options) => {
      const { connectServer } = await import("@izo/server");
      const server = connectServer(dir, options.fileset);
      const { before, olderThan, dryRun } = options;
      const cut = await server.truncate({
        ...(before !== undefined && { before }),
        ...(olderThan !== undefined && { olderThanMs: olderThan }),
        isDryRun: dryRun === true,
      });
      outputOf(cli, options).result(cut, describeCut(cut, await server.peers()));
    });
}

function describeCut(cut: Truncated, peers: readonly PeerStanding[]): string {
  const { oldestRecno, removedRecords, removedBytes, heldBy, isDryRun } = cut;
  const went = isDryRun ? "would be cut off" : "cut off";
  const what = `${formatCount(removedRecords)} records (${formatBytes(removedBytes)}) ${went}`;
  const text = `${what}; the log ${isDryRun ? "would begin" : "begins"} at record ${formatCount(oldestRecno)}`;
  if (heldBy === null) return text;
  const host = peers.find(({ peer }) => peer === heldBy)?.host ?? "";
  return `${text}\nmore is kept for the peer ${heldBy.slice(0, 8)} ${host}`.trimEnd();
}
