/**
 * The text of an access token: `izo_`, the token's id (no secret, it stands in lists and logs), and 256
 * random bits. The prefix makes a leaked one easy to find, for people and for scanners of repositories.
 */
const TOKEN = /^izo_([0-9a-f]{8})_[A-Za-z0-9_-]{43}$/;
const TOKEN_ANYWHERE = /izo_([0-9a-f]{8})_[A-Za-z0-9_-]{20,}/g;

/** Bytes of chance in a token. */
export const TOKEN_SECRET_BYTES = 32;

/** Writes a token; `secret` is {@link TOKEN_SECRET_BYTES} random bytes in base64url. */
export function writeToken(id: string, secret: string): string {
  return `izo_${id}_${secret}`;
}

/** The id of the token that a text is, or null where it is none. */
export function tokenIdOf(text: string): string | null {
  return TOKEN.exec(text)?.[1] ?? null;
}

/** A text in which tokens are cut down to their id, for what is printed or logged. */
export function withoutTokens(text: string): string {
  return text.replaceAll(TOKEN_ANYWHERE, "izo_$1_…");
}

/** The value of the `Authorization` header that carries a token (RFC 6750, section 2.1). */
export function writeBearer(token: string): string {
  return `Bearer ${token}`;
}

/** The token of such a value; null where there is none. */
export function parseBearer(value: string | null): string | null {
  return /^Bearer +(\S+) *$/i.exec(value ?? "")?.[1] ?? null;
}
