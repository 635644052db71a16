import {
  accessFilesOf,
  findStateDirectory,
  openStateDirectory,
} from "../export/state-directory.ts";
import type { StoredToken, TokenRequest } from "./stored-token.ts";
import { createToken, readTokens, revokeTokens } from "./token-file.ts";

/** The tokens of a fileset of this machine, whether a server runs for it or not. */
export interface TokenControl {
  /** Makes a token; its text is given out once. From the first one on the server requires tokens. */
  create(request: TokenRequest): { readonly text: string; readonly stored: StoredToken };
  /** Tells whether the server requires tokens. */
  readonly isRequired: boolean;
  /** Those that were made and not revoked; null where none ever was, and none is required. */
  list(): readonly StoredToken[] | null;
  /** Ends a token by its id, or all of a name. @throws UnknownTokenError */
  revoke(given: string): readonly StoredToken[];
}

/**
 * The tokens of the fileset that a directory is served as, or will be. A running server sees each change
 * with the next request.
 *
 * Its methods throw ExportError where the directory cannot be exported, InvalidTokenFileError
 */
export function tokensOf(directory: string, filesetName: string): TokenControl {
  const { tokens } = accessFilesOf(directory, filesetName);
  const file = (): string => {
    findStateDirectory(directory, filesetName);
    return tokens;
  };
  return {
    get isRequired() {
      return readTokens(tokens) !== null;
    },
    create(request) {
      openStateDirectory(directory, filesetName);
      return createToken(tokens, request, Date.now());
    },
    list: () => readTokens(file()),
    revoke: (given) => revokeTokens(file(), given),
  };
}
