/**
 * Answers the administrator's commands for a running server, on the control socket in its state
 * directory (mode 0600 below a directory of mode 0700). Each handler parses, asks the export and returns
 * what is sent; rules stand in `export/`.
 */
import { IzoError, isId, type PeerId } from "@izo/core";
import { type ControlRequest, serveControl as serveSocket } from "@izo/sys";
import { z } from "zod";

import type { PeerHolders } from "../auth/peer-holders.ts";
import type { Export, TruncateRequest } from "../export/export.ts";

type Handler = (fileset: Export, asked: ControlRequest, holders?: PeerHolders) => unknown;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET /status": (fileset) => fileset.status(),
  "GET /conflicts": (fileset) => ({ conflicts: fileset.conflicts() }),
  "POST /held/confirm": (fileset) => fileset.confirmRemoval(),
  "POST /held/rescan": (fileset) => fileset.rescan(),
  "POST /settle": (fileset) => fileset.settle(),
  "GET /peers": (fileset) => ({ peers: fileset.peers() }),
  "POST /peers/forget": async (fileset, { url }, holders) => {
    const peer = peerOf(url.searchParams);
    await fileset.forgetPeer(peer);
    holders?.release(peer);
  },
  "POST /truncate": (fileset, { body }) =>
    fileset.truncate(truncateRequest.parse(body) as TruncateRequest),
};

const truncateRequest = z.strictObject({
  before: z.int().min(0).optional(),
  olderThanMs: z.int().min(0).optional(),
  isDryRun: z.boolean(),
});

/** Serves the control socket of an export and of who its peers belong to. The export holds the lock of its state directory. */
export function serveControl(fileset: Export, holders?: PeerHolders): Promise<AsyncDisposable> {
  const handlers = Object.entries(HANDLERS).map(([name, handler]) => [
    name,
    (asked: ControlRequest) => handler(fileset, asked, holders),
  ]);
  return serveSocket(fileset.stateDirectory, Object.fromEntries(handlers));
}

function peerOf(query: URLSearchParams): PeerId {
  const peer = query.get("peer") ?? "";
  if (isId(peer)) return peer;
  throw new IzoError(
    "invalid-request",
    `Cannot read the peer ${JSON.stringify(peer)}: expected 32 hexadecimal digits`,
  );
}
