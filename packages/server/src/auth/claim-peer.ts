import type { PeerId } from "@izo/core";

import type { AppContext } from "../routes/app-environment.ts";

/**
 * Lets a request speak for a peer that is its holder's, or nobody's yet. Where no tokens are required
 * nobody is told apart.
 *
 * @throws ProblemError `peer-taken`
 */
export function claimPeer(c: AppContext, peer: PeerId): void {
  const { access, caller } = c.var;
  if (caller.holder !== null) access?.holders.claim(peer, caller.holder);
}
