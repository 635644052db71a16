import { IzoError, withoutTokens } from "@izo/core";

/** Where a fileset is served. */
export interface FilesetUrl {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path in front of `/v1`, where a proxy serves several things; mostly empty. */
  readonly prefix: string;
  readonly fileset: string;
}

/** A text that names no fileset. */
export class InvalidFilesetUrlError extends IzoError {
  /** @param text without what is secret of it */
  constructor(text: string, reason: string) {
    super("invalid-url", `Cannot use the URL ${JSON.stringify(text)}: ${reason}`, { text, reason });
  }
}

/** Reads `http://HOST:PORT/FILESET`. @throws InvalidFilesetUrlError */
export function parseFilesetUrl(text: string): FilesetUrl {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidFilesetUrlError(withoutTokens(text), "it is no http or https URL");
  }
  const secret = secretIn(url);
  if (secret !== null) {
    throw new InvalidFilesetUrlError(
      `${url.origin}${url.pathname}`,
      `it came with ${secret}, and URLs are seen by others: put the token in a file, and name that with --token-file`,
    );
  }
  const match = /^(.*)\/([^/]+)\/?$/.exec(url.pathname);
  if (match === null) throw new InvalidFilesetUrlError(text, "it names no fileset");
  const [, prefix, fileset] = match as unknown as [string, string, string];
  try {
    return { origin: url.origin, prefix, fileset: decodeURIComponent(fileset) };
  } catch {
    throw new InvalidFilesetUrlError(text, "its fileset is encoded wrongly");
  }
}

/** What is in a URL and does not belong there, in words. */
function secretIn({ username, password, search, hash }: URL): string | null {
  if (username !== "" || password !== "") return "a user or a password";
  if (search !== "") return "a query";
  return hash === "" ? null : "a fragment";
}
