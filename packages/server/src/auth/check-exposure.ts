import { IzoError, isLoopback } from "@izo/core";

/** A server that others reach, and that would let anybody in, or be listened to on the way. */
export class ExposedServerError extends IzoError {
  constructor(host: string, missing: readonly string[]) {
    super(
      "exposed-server",
      `Cannot listen on ${host}: other machines reach it, and ${missing.join(" and ")}`,
      { host },
    );
  }
}

export interface Exposure {
  readonly host: string;
  readonly hasTls: boolean;
  readonly requiresTokens: boolean;
  /** The administrator wants it so. */
  readonly isInsecure: boolean;
}

/**
 * Refuses to serve beyond this machine without TLS and tokens, unless told to.
 *
 * @throws ExposedServerError
 */
export function checkExposure({ host, hasTls, requiresTokens, isInsecure }: Exposure): void {
  if (isInsecure || isLoopback(host)) return;
  const missing = [
    ...(hasTls ? [] : ["nothing is encrypted"]),
    ...(requiresTokens ? [] : ["nobody is asked for a token"]),
  ];
  if (missing.length > 0) throw new ExposedServerError(host, missing);
}
