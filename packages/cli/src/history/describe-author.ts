import type { HttpRemote } from "@izo/client";
import type { KmlRecord, PeerId } from "@izo/core";

import { printable } from "../output/printable.ts";

/** Names of the hosts on which peers are or were, as far as the server knows them. */
export async function hostNames(
  remote: HttpRemote,
  signal: AbortSignal,
): Promise<ReadonlyMap<PeerId, string>> {
  const [{ serverPeer }, peers] = [await remote.profile(signal), await remote.peers(signal)];
  return new Map([
    ...peers.map(({ peer, host }) => [peer, host] as const),
    [serverPeer, "the server"] as const,
  ]);
}

/** Who made a record: host or peer, user and program. */
export function describeAuthor(
  { origin, actor }: Pick<KmlRecord, "origin" | "actor">,
  hosts: ReadonlyMap<PeerId, string>,
): string {
  const host = hosts.get(origin.peer) ?? "";
  const where =
    host === "" ? origin.peer.slice(0, 8) : `${printable(host)} (${origin.peer.slice(0, 8)})`;
  const command = actor.command === "" ? "" : `, ${printable(actor.command)}`;
  return `uid ${actor.uid}${command} on ${where}`;
}
