import type { PeerHolders } from "./peer-holders.ts";
import type { Sessions } from "./session.ts";
import type { TokenBook } from "./token-book.ts";

/** What decides who may ask for what of a server; one for all that it serves. */
export interface AccessControl {
  /** The fileset that the tokens are of. */
  readonly filesetName: string;
  readonly tokens: TokenBook;
  readonly holders: PeerHolders;
  readonly sessions: Sessions;
}

/** Whoever sent a request, as far as the server knows. */
export interface Caller {
  /** The name of the token's holder; null where the server requires no tokens. */
  readonly holder: string | null;
  /** Changes are allowed below this path only; null for none at all. */
  readonly writesBelow: string | null;
  /** Contents are for this caller, and not the log alone. */
  readonly readsContents: boolean;
  /** Aborts when the token is revoked or over: what is being answered ends. */
  readonly end: AbortSignal | null;
}

/** Where no token is required. */
export const ANYBODY: Caller = { holder: null, writesBelow: "/", readsContents: true, end: null };
