import { hash, randomBytes } from "node:crypto";

import { TOKEN_SECRET_BYTES, writeToken } from "@izo/core";
import { z } from "zod";

/**
 * What a token allows. `read`: everything but changes. `write`: changes too. `log`: records and figures,
 * no contents.
 */
export const TOKEN_ACCESS = ["read", "write", "log"] as const;

export type TokenAccess = (typeof TOKEN_ACCESS)[number];

export const storedTokenSchema = z.strictObject({
  /** Eight hexadecimal digits; no secret. */
  id: z.string().regex(/^[0-9a-f]{8}$/),
  /** Who holds it; what tokens of one name do is done by one holder. */
  name: z.string().min(1),
  /** SHA-256 of the token's text, hexadecimal. The text has 256 random bits: no slower hash is needed. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  access: z.enum(TOKEN_ACCESS),
  /** A `read` token sees, and a `write` token changes, only what is below; `/` for all. */
  path: z.string().startsWith("/"),
  createdMs: z.int(),
  /** When it is over, in ms since 1970; null for never. */
  expiresMs: z.int().nullable(),
});

/** A token as the server keeps it: whoever reads it cannot make the token from it. */
export type StoredToken = z.infer<typeof storedTokenSchema>;

/** What is said of a token when it is made. */
export type TokenRequest = Pick<StoredToken, "access" | "path" | "expiresMs"> & {
  /** Its id where nobody is named. */
  readonly name?: string | undefined;
};

/** Makes a token; its text is nowhere else. */
export function mintToken(
  { name, access, path, expiresMs }: TokenRequest,
  createdMs: number,
): { readonly text: string; readonly stored: StoredToken } {
  const id = randomBytes(4).toString("hex");
  const text = writeToken(id, randomBytes(TOKEN_SECRET_BYTES).toString("base64url"));
  const stored = { id, name: name ?? id, sha256: hash("sha256", text), access, path };
  return { text, stored: { ...stored, createdMs, expiresMs } };
}

/** Tells whether a token is over. */
export function isOver({ expiresMs }: StoredToken, nowMs: number): boolean {
  return expiresMs !== null && nowMs >= expiresMs;
}
