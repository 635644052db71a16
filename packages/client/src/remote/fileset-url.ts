import { IzoError } from "@izo/core";

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
  constructor(text: string, reason: string) {
    super("invalid-url", `Cannot use the URL ${JSON.stringify(text)}: ${reason}`, { text, reason });
  }
}

/** Reads `http://HOST:PORT/FILESET`. @throws InvalidFilesetUrlError */
export function parseFilesetUrl(text: string): FilesetUrl {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidFilesetUrlError(text, "it is no http or https URL");
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
