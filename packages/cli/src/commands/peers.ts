import { Command } from "@commander-js/extra-typings";
import { IzoError, type PeerId, type PeerStanding } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { printable } from "../output/printable.ts";
import { formatAge, formatCount } from "../output/quantity.ts";
import { formatTable } from "../output/table.ts";
import { isUrl } from "../parse-address.ts";
import { type ConnectionOptions, openRemote, withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** Which of the peers is meant is not clear, or none is. */
class PeerNotFoundError extends IzoError {
  constructor(given: string, found: readonly PeerId[]) {
    const what = found.length === 0 ? "no peer has such an id" : `it begins ${found.length} ids`;
    super("unknown-peer", `Cannot find the peer ${JSON.stringify(given)}: ${what}`, { given });
  }
}

/** `izo peers`: who follows a server's log, and how far each is. */
export function peersCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("peers")
      .description("list the peers of a server and how far each has followed its log")
      .argument("<server>", "http://HOST:PORT/FILESET, or the directory that this machine serves")
      .addOption(filesetOption()),
  )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
State: current (has all), behind, cut-off (what it lacks is not in the log any more: it takes a snapshot,
and keeps what it has not sent), forgotten. A * marks those for which records are kept: for as long as
they were seen lately and the log has room.

Examples:
  izo peers http://nas:8370/rootfset
  izo peers /srv/project --json | jq '.peers[] | select(.state != "current")'
  izo peers forget /srv/project 3f2a91c0`,
    )
    .action(async (server, options) => {
      const peers = await listPeers(cli, server, options);
      outputOf(cli, options).result({ peers }, describePeers(peers));
    })
    .addCommand(forgetCommand(cli));
}

function forgetCommand(cli: Cli) {
  return new Command("forget")
    .description("keep no records for a peer that will not come back")
    .argument("<dir>", "the directory that this machine serves")
    .argument("<peer>", "its id, or enough of its beginning")
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Nothing else is lost: a peer that comes back all the same is known again. Where the log has gone on
without it, it takes a snapshot and then sends what it had not sent.

Example:
  izo peers forget /srv/project 3f2a91c0`,
    )
    .action(async (dir, given, _options, command) => {
      // Options of the same name are read by "peers" first.
      const options = command.optsWithGlobals();
      const { connectServer } = await import("@izo/server");
      const server = connectServer(dir, options.fileset);
      const found = (await server.peers()).filter(({ peer }) => peer.startsWith(given));
      const [standing] = found;
      if (standing === undefined || found.length > 1) {
        throw new PeerNotFoundError(
          given,
          found.map(({ peer }) => peer),
        );
      }
      const { peer, host } = standing;
      await server.forgetPeer(peer);
      outputOf(cli, options).result(
        { peer, host },
        `forgot ${peer.slice(0, 8)} ${printable(host)}`.trimEnd(),
      );
    });
}

async function listPeers(
  cli: Cli,
  server: string,
  options: ConnectionOptions & { readonly fileset: string },
): Promise<readonly PeerStanding[]> {
  if (!isUrl(server)) {
    const { connectServer } = await import("@izo/server");
    return await connectServer(server, options.fileset).peers();
  }
  await using remote = openRemote(server, options, cli);
  return await remote.peers(cli.signal);
}

function describePeers(peers: readonly PeerStanding[]): string {
  if (peers.length === 0) return "no peer has been here yet";
  const columns = [
    { title: "peer" },
    { title: "host" },
    { title: "state" },
    { title: "replayed", align: "right" },
    { title: "behind", align: "right" },
    { title: "for", align: "right" },
    { title: "received", align: "right" },
    { title: "unseen", align: "right" },
    { title: "last seen" },
  ] as const;
  const rows = peers.map((peer) => [
    peer.peer.slice(0, 8),
    peer.host,
    `${peer.state}${peer.isKeptFor ? " *" : ""}`,
    formatCount(peer.replayedRecno),
    formatCount(peer.lagRecords),
    peer.lagMs === null ? "cut off" : formatAge(peer.lagMs),
    formatCount(peer.receivedRecno),
    formatCount(peer.unseenOutcomes),
    peer.lastSeenMs === 0 ? "not known" : new Date(peer.lastSeenMs).toISOString(),
  ]);
  return formatTable(columns, rows);
}
