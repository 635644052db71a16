import { join } from "node:path";

import type { AccessControl } from "../auth/access-control.ts";
import { PeerHolders } from "../auth/peer-holders.ts";
import { Sessions } from "../auth/session.ts";
import type { TokenRequest } from "../auth/stored-token.ts";
import { TokenBook } from "../auth/token-book.ts";
import { createToken, revokeTokens } from "../auth/token-file.ts";
import type { Export } from "../export/export.ts";
import { createApp } from "../routes/app.ts";

/** An app that requires tokens, and the tokens of it. */
export interface TestAccess extends Disposable {
  readonly app: ReturnType<typeof createApp>;
  readonly access: AccessControl;
  /** Goes on from the wall clock. */
  addTime(ms: number): void;
  create(request: Partial<TokenRequest>): string;
  revoke(given: string): void;
  request(path: string, token: string, init?: RequestInit): Promise<Response>;
}

/** Puts the door in front of an export; its tokens are in `dir`. */
export function openTestAccess(fileset: Export, dir: string): TestAccess {
  const path = join(dir, "tokens");
  let addedMs = 0;
  const nowMs = (): number => Date.now() + addedMs;
  const tokens = new TokenBook({
    path,
    nowMs,
    onError: (error) => {
      throw error;
    },
  });
  const access: AccessControl = {
    filesetName: fileset.filesetName,
    tokens,
    holders: new PeerHolders(join(dir, "token-peers")),
    sessions: new Sessions(),
  };
  const app = createApp({ filesets: [fileset], access });
  return {
    app,
    access,
    addTime: (ms) => void (addedMs += ms),
    create: (request) =>
      createToken(path, { access: "read", path: "/", expiresMs: null, ...request }, Date.now())
        .text,
    revoke: (given) => void revokeTokens(path, given),
    request: async (url, token, init = {}) =>
      app.request(url, {
        ...init,
        headers: {
          ...(init.headers as Record<string, string> | undefined),
          Authorization: `Bearer ${token}`,
        },
      }),
    [Symbol.dispose]: () => tokens[Symbol.dispose](),
  };
}
