import { ImpossibleRecordError, IzoError, type ConnectionEvent } from "@izo/core";

import { UnusableTokenError } from "../remote/credentials.ts";
import {
  RemoteProblemError,
  RemoteProtocolError,
  RemoteUnreachableError,
  RemoteUntrustedError,
} from "./remote-error.ts";

/** What is wrong, for `izo status`. */
export interface SyncError {
  readonly code: string;
  readonly message: string;
  /** What a person can do about it. */
  readonly advice: string;
  readonly sinceMs: number;
  /** Under which the server's log has the request that failed; missing where none did. */
  readonly requestId?: string;
}

/** Codes of the protocol that the connection has a state for; every other one is listed below. */
const EVENTS: Readonly<Record<string, ConnectionEvent>> = {
  "log-truncated": "log-truncated",
  "log-diverged": "log-diverged",
  "peer-diverged": "peer-diverged",
  "not-ready": "unreachable",
  overloaded: "unreachable",
  internal: "unreachable",
};

/** What an error of a remote means to the connection, or undefined where it is none of a remote. */
export function connectionEventOf(error: unknown): ConnectionEvent | undefined {
  if (error instanceof RemoteUnreachableError) return "unreachable";
  if (error instanceof RemoteProtocolError || error instanceof RemoteUntrustedError)
    return "refused";
  if (error instanceof UnusableTokenError || error instanceof ImpossibleRecordError)
    return "refused";
  if (error instanceof RemoteProblemError) return EVENTS[error.code] ?? "refused";
  return undefined;
}

/** A refusal of what is sent, and not of who sends it: the log is followed all the same. */
const REFUSED_CHANGES = new Set(["read-only", "out-of-scope"]);

/** Tells whether the server takes no changes of this client, or not these. */
export function isChangeRefused(error: unknown): boolean {
  return error instanceof RemoteProblemError && REFUSED_CHANGES.has(error.code);
}

/** Tells whether the server has found that what was sent would remove nearly everything (design §7). */
export function isRemovalRefused(error: unknown): boolean {
  return error instanceof RemoteProblemError && error.code === "mass-removal";
}

const NEW_TOKEN =
  "Ask whoever runs the server for a token and put it in the token file; it goes on by itself";
const NO_ROOM =
  "Make room on the disk of the cache; nothing is lost, and it is tried again by itself";
const BAD_DISK = "Check the disk of the cache; it is tried again by itself";

const ADVICE: Readonly<Record<string, string>> = {
  unreachable: "Check the network and the server; it is tried again by itself",
  "not-ready": "The server is starting; it is tried again by itself",
  overloaded: "The server has too much to do; it is tried again by itself",
  internal: "Look at the server's log; it is tried again by itself",
  "token-required": "The server wants a token: mount again with --token-file",
  "token-invalid": NEW_TOKEN,
  "token-expired": NEW_TOKEN,
  "unusable-token": "Put a token in the token file, and use an https URL; it goes on by itself",
  "out-of-scope":
    "Ask for a token that allows it and put it in the token file. What was changed here waits, can be read and copied at its path, and goes by itself then",
  "read-only":
    "Ask whoever runs the server, or for a token that allows changes. What was changed here waits, can be read and copied at its path, and goes by itself then",
  "peer-taken":
    "This cache was used with another holder's token: use a token of that name, or another cache",
  "untrusted-server":
    "Check the URL, --ca, and the client certificate; it is tried again by itself",
  "permit-held": "Wait for it, or ask its holder: izo permit MNT take",
  "mass-removal":
    "It is looked at again by what the server's log says; what is held then is shown by izo held MNT",
  "permit-passed-on": "Somebody else has the permit now; ask for it again: izo permit MNT take",
  "no-space": "Make room on the server's disk; nothing is lost, and it is tried again by itself",
  "protocol-version": "Install the same version of izo on client and server",
  "protocol-error": "Check the URL: what answers there is no izo server",
  "impossible-record":
    "The server's log holds what no server logs; nothing of it was taken. Check whether it is the right one",
  "unknown-fileset": "Check the name of the fileset in the URL",
  "foreign-server": "The server serves another fileset now; use another cache directory for it",
  "log-diverged":
    "The server was restored from a backup. Nothing is lost here, and nothing is pulled or pushed until somebody decides: see izo salvage --help",
  "peer-diverged": "A copy of this cache is in use elsewhere; this one goes on under a new id",
  "kml-broken": "Check the disk of the cache, then unmount and mount again",
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  SQLITE_FULL: NO_ROOM,
  "kml-append-failed": BAD_DISK,
  EROFS: BAD_DISK,
  EIO: BAD_DISK,
  SQLITE_IOERR: BAD_DISK,
};

/** How an error is shown. */
export function describeError(error: unknown, nowMs: number): SyncError {
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string"
      ? error.code
      : "internal-error";
  const message = error instanceof Error ? error.message : String(error);
  const requestId = error instanceof RemoteProblemError ? error.data["requestId"] : undefined;
  return {
    code,
    message,
    advice: ADVICE[code] ?? "See the log of the mount",
    sinceMs: nowMs,
    ...(typeof requestId === "string" && { requestId }),
  };
}

/** The user keeps the mount offline, and wants something that only the server can give. */
export class ForcedOfflineError extends IzoError {
  constructor(pending: number) {
    super(
      "forced-offline",
      `Cannot flush ${pending} pending records: the mount is kept offline by its user`,
      { pending },
    );
  }
}

/** Removals of nearly everything wait for somebody's decision, and nothing else is left to send. */
export class RemovalHeldError extends IzoError {
  constructor({ removed, names }: { readonly removed: number; readonly names: number }) {
    super(
      "removal-held",
      `Cannot flush: the removal of ${removed} of ${names} names waits to be confirmed or dropped; all that does not depend on it was sent`,
      { removed, names },
    );
  }
}

/** The fileset under the URL is not the one that the cache is of. */
export class ForeignServerError extends IzoError {
  constructor(found: string, expected: string) {
    super(
      "foreign-server",
      `Cannot go on with this server: it serves the fileset ${found}, the cache is of ${expected}`,
      { found, expected },
    );
  }
}
