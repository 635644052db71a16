import { IzoError, isLoopback, tokenIdOf } from "@izo/core";
import { z } from "zod";

import { FollowedFile } from "./followed-file.ts";

/** How a client shows who it is, and whom it believes: files, so that nothing secret is in a command line. */
export const credentialFilesSchema = z.strictObject({
  /** Holds the token. */
  tokenFile: z.string().optional(),
  /** Certificates of authorities, PEM; those of the system where it is missing. */
  caFile: z.string().optional(),
  /** The client's own certificate and its key, PEM. */
  certFile: z.string().optional(),
  keyFile: z.string().optional(),
  /** Send the token although nothing is encrypted. */
  isInsecure: z.boolean().optional(),
});

export type CredentialFiles = z.infer<typeof credentialFilesSchema>;

export interface Credentials extends CredentialFiles {
  /** The state directory of an export of this machine: its owner is asked for nothing else. */
  readonly stateDirectory?: string;
  /** The token itself, as from the environment; a token file counts more. */
  readonly token?: string | undefined;
}

/** The token cannot be used as it is; nothing was sent. */
export class UnusableTokenError extends IzoError {
  constructor(reason: string, options?: ErrorOptions) {
    super("unusable-token", `Cannot use the token: ${reason}`, {}, options);
  }
}

/** The token as it is now: another one counts from the next request on. */
export class TokenSource {
  readonly #credentials: Credentials;
  readonly #file: FollowedFile | null;
  readonly #isReadable: boolean;

  constructor(credentials: Credentials, origin: string) {
    this.#credentials = credentials;
    const { tokenFile } = credentials;
    this.#file = tokenFile === undefined ? null : new FollowedFile(tokenFile);
    const { protocol, hostname } = new URL(origin);
    this.#isReadable = protocol === "http:" && !isLoopback(hostname);
  }

  /** Null where there is none. @throws UnusableTokenError */
  current(): string | null {
    const token = this.#file === null ? this.#credentials.token : this.#read(this.#file);
    if (token === undefined) return null;
    if (this.#isReadable && this.#credentials.isInsecure !== true) {
      throw new UnusableTokenError(
        "the URL begins with http://, and everybody on the way reads it",
      );
    }
    return token;
  }

  #read(file: FollowedFile): string {
    let text: string;
    try {
      text = file.text().trim();
    } catch (cause) {
      throw new UnusableTokenError((cause as Error).message, { cause });
    }
    if (tokenIdOf(text) !== null) return text;
    throw new UnusableTokenError(`${JSON.stringify(file.path)} does not hold one`);
  }
}
