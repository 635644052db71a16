/**
 * The tokens as a running server knows them. The file is looked at before each request that shows a
 * token, so a revoked one is refused from the next request on; requests in progress are ended within
 * {@link LOOK_MS}. Keeps nothing that a crash could lose.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { type BigIntStats, statSync } from "node:fs";

import { tokenIdOf } from "@izo/core";

import { isOver, type StoredToken } from "./stored-token.ts";
import { readTokens } from "./token-file.ts";

/** How often tokens that somebody uses are looked at again. */
const LOOK_MS = 1_000;

const NO_HASH = "0".repeat(64);

export type FoundToken =
  | { readonly kind: "valid"; readonly token: StoredToken }
  /** The right secret, too late. */
  | { readonly kind: "expired"; readonly token: StoredToken }
  /** Never made, revoked, or not the secret. */
  | { readonly kind: "unknown" };

export interface TokenBookOptions {
  readonly path: string;
  readonly nowMs: () => number;
  /** Told once of a file that cannot be read: until it can, no token is valid. */
  readonly onError: (error: unknown) => void;
}

export class TokenBook implements Disposable {
  readonly #options: TokenBookOptions;
  readonly #looking: NodeJS.Timeout;
  /** Aborted when the token ends, by its id; of those that were used. */
  readonly #ends = new Map<string, AbortController>();
  #tokens: ReadonlyMap<string, StoredToken>;
  #isRequired: boolean;
  #version: string;

  /** @throws InvalidTokenFileError: a server does not start with tokens that it cannot read */
  constructor(options: TokenBookOptions) {
    this.#options = options;
    this.#version = versionOf(options.path);
    const tokens = readTokens(options.path);
    this.#isRequired = tokens !== null;
    this.#tokens = byId(tokens ?? []);
    this.#looking = setInterval(() => this.#endOver(), LOOK_MS).unref();
  }

  /** Tells whether requests need a token. Once they do, they do until the server ends. */
  get isRequired(): boolean {
    this.#look();
    return this.#isRequired;
  }

  /** The token with this id, where it is valid now. */
  get(id: string): StoredToken | null {
    this.#look();
    const token = this.#tokens.get(id);
    return token === undefined || isOver(token, this.#options.nowMs()) ? null : token;
  }

  /** Compares hashes, in a time that does not depend on how much of them is equal. */
  find(text: string): FoundToken {
    this.#look();
    const token = this.#tokens.get(tokenIdOf(text) ?? "");
    const expected = Buffer.from(token?.sha256 ?? NO_HASH, "hex");
    const isSame = timingSafeEqual(hash("sha256", text, "buffer"), expected);
    if (token === undefined || !isSame) return { kind: "unknown" };
    return { kind: isOver(token, this.#options.nowMs()) ? "expired" : "valid", token };
  }

  /** Aborts when the token is revoked or over. */
  endOf({ id }: StoredToken): AbortSignal {
    let end = this.#ends.get(id);
    if (end === undefined) this.#ends.set(id, (end = new AbortController()));
    return end.signal;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
  }

  #endOver(): void {
    for (const [id, end] of this.#ends) {
      if (this.get(id) !== null) continue;
      this.#ends.delete(id);
      end.abort(new Error(`the token ${id} was revoked or is over`));
    }
  }

  #look(): void {
    const { path, onError } = this.#options;
    const version = versionOf(path);
    if (version === this.#version) return;
    this.#version = version;
    try {
      const tokens = readTokens(path);
      // A file that is gone was not revoked token by token: nobody is let in all the same.
      if (tokens !== null) this.#isRequired = true;
      this.#tokens = byId(tokens ?? []);
    } catch (error) {
      this.#isRequired = true;
      this.#tokens = new Map();
      onError(error);
    }
  }
}

function byId(tokens: readonly StoredToken[]): ReadonlyMap<string, StoredToken> {
  return new Map(tokens.map((token) => [token.id, token]));
}

/** Differs after every change: the file is replaced, and its owner set afterwards. */
function versionOf(path: string): string {
  const stat: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.size}`;
}
