/**
 * The tokens of a fileset on disk: `tokens` in its state directory, mode 0600. `izo token` writes it,
 * whether a server runs or not, one process at a time; servers read it. It is replaced as a whole, durably:
 * a crash leaves the tokens before a change, or those after it.
 *
 * A fileset without the file requires no tokens. One whose last token was revoked has an empty list, and
 * lets nobody in.
 */
import { chownSync, closeSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { IzoError } from "@izo/core";
import { flock, replaceFile } from "@izo/sys";
import { z } from "zod";

import {
  mintToken,
  type StoredToken,
  storedTokenSchema,
  type TokenRequest,
} from "./stored-token.ts";

const schema = z.strictObject({ version: z.literal(1), tokens: z.array(storedTokenSchema) });

/** The file is not what this version writes: nobody is let in by it. */
export class InvalidTokenFileError extends IzoError {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(
      "invalid-token-file",
      `Cannot use the tokens "${path}": ${reason}`,
      { path, reason },
      options,
    );
  }
}

/** No token has this id or name. */
export class UnknownTokenError extends IzoError {
  constructor(given: string) {
    super("unknown-token", `Cannot find a token with the id or name ${JSON.stringify(given)}`, {
      given,
    });
  }
}

/** The tokens in a file; null where it is missing. @throws InvalidTokenFileError */
export function readTokens(path: string): readonly StoredToken[] | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new InvalidTokenFileError(path, "it is no JSON");
    if (isAbsence(error)) return null;
    throw new InvalidTokenFileError(path, (error as Error).message, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InvalidTokenFileError(path, z.prettifyError(parsed.error));
  return parsed.data.tokens;
}

/** Nothing is there, nor below what is no directory: whoever uses that says so better. */
function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Makes a token and keeps it; its text is given out here and never again. */
export function createToken(
  path: string,
  request: TokenRequest,
  nowMs: number,
): { readonly text: string; readonly stored: StoredToken } {
  const minted = mintToken(request, nowMs);
  change(path, (tokens) => [...tokens, minted.stored]);
  return minted;
}

/** Ends the token with an id, or all of a name; gives those that were ended. @throws UnknownTokenError */
export function revokeTokens(path: string, given: string): readonly StoredToken[] {
  const isMeant = ({ id, name }: StoredToken): boolean => id === given || name === given;
  const revoked: StoredToken[] = [];
  change(path, (tokens) => {
    revoked.push(...tokens.filter(isMeant));
    if (revoked.length === 0) throw new UnknownTokenError(given);
    return tokens.filter((token) => !isMeant(token));
  });
  return revoked;
}

function change(path: string, next: (tokens: readonly StoredToken[]) => readonly StoredToken[]) {
  const lock = openSync(`${path}.lock`, "a", 0o600);
  try {
    flock(lock, "exclusive");
    const tokens = next(readTokens(path) ?? []);
    replaceFile(path, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
    giveToServer(path);
  } finally {
    closeSync(lock);
  }
}

/** Root may make tokens for a server that runs as somebody else, who has to read them. */
function giveToServer(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  chownSync(path, uid, gid);
  chownSync(`${path}.lock`, uid, gid);
}
