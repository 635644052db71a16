import { isId, type PeerId } from "../kml/identity.ts";
import { MAX_HOST_BYTES } from "./limits.ts";

/** Who polls: information for the server's status, trusted for nothing else. */
export interface PeerName {
  readonly peer: PeerId;
  readonly host: string;
}

/** The value of the header `Izo-Peer`. */
export function writePeerHeader({ peer, host }: PeerName): string {
  return `${peer} ${encodeURIComponent(host)}`;
}

/** Reads it; null where it is missing or malformed: nothing depends on it. */
export function parsePeerHeader(value: string | null): PeerName | null {
  const [peer = "", encoded = ""] = (value ?? "").split(" ");
  if (!isId(peer) || !/^(?:[\w.~!*'()-]|%[0-9A-F]{2})+$/.test(encoded)) return null;
  try {
    const host = decodeURIComponent(encoded);
    return host.length <= MAX_HOST_BYTES ? { peer, host } : null;
  } catch {
    return null;
  }
}
