import { hash } from "node:crypto";

import type { PeerId } from "@izo/core";

/**
 * The peer in whose name the web page changes the tree: a client like others to the judge and the log, so
 * that what is decided there meets the same rules. It follows from the server's own id, so nothing has to
 * be kept, and it never polls, so nobody waits for it.
 */
export function pagePeerOf(server: PeerId): PeerId {
  return hash("sha256", `izo web page of ${server}`).slice(0, 32) as PeerId;
}
