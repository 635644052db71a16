import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

import type { StoredToken } from "./stored-token.ts";

/** How long a browser stays logged in: a working day. */
const SESSION_MS = 12 * 3_600_000;

const SESSION = /^([0-9a-f]{8})\.(\d{1,16})\.([A-Za-z0-9_-]{43})$/;

/**
 * What a browser shows instead of its token: the token's id and a time, under a key that lives as long as
 * this object. So the token itself is kept in no browser, nothing is kept here, and after a restart of
 * the server people log in again.
 */
export class Sessions {
  readonly #key = randomBytes(32);

  /** The value of the session's cookie, and when it is over. */
  begin({ id, expiresMs }: StoredToken, nowMs: number): { value: string; expiresMs: number } {
    const untilMs = Math.min(nowMs + SESSION_MS, expiresMs ?? Infinity);
    const said = `${id}.${untilMs}`;
    return { value: `${said}.${this.#sign(said)}`, expiresMs: untilMs };
  }

  /** The id of the token that a session stands for; null for none of ours, or one that is over. */
  tokenIdOf(value: string, nowMs: number): string | null {
    const [, id = "", untilMs = "", mac = ""] = SESSION.exec(value) ?? [];
    const isOurs = timingSafeEqual(
      Buffer.from(this.#sign(`${id}.${untilMs}`)),
      Buffer.from(mac.padEnd(43).slice(0, 43)),
    );
    return isOurs && nowMs < Number(untilMs) ? id : null;
  }

  #sign(said: string): string {
    return createHmac("sha256", this.#key).update(said).digest("base64url");
  }
}
