import { RemoteUnreachableError } from "../sync/remote-error.ts";

/** A connection that stood, and broke. */
const BROKEN = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** What undici and the system say of a server that cannot be reached, in words. */
const REASONS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_BODY_TIMEOUT: "the answer stalled",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_DESTROYED: "the connections were closed here",
  UND_ERR_CLOSED: "the connections were closed here",
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name cannot be looked up now",
  EHOSTUNREACH: "there is no way to the host",
  ENETUNREACH: "there is no way to the network",
  ETIMEDOUT: "no answer in time",
};

/** Tells whether the connection broke before or while an answer came. */
export function isBrokenConnection(error: unknown): boolean {
  return BROKEN.has(codeOf(error));
}

/**
 * What the caller of a request gets for an error of the transport: the reason of its signal where that
 * was aborted, else that the server is not reachable now.
 */
export function asRemoteError(error: unknown, url: string, signal?: AbortSignal): unknown {
  if (signal?.aborted === true) return signal.reason;
  const code = codeOf(error);
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : code);
  return new RemoteUnreachableError(url, reason, { cause: error });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses were tried: each attempt has its own error.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error && "code" in first ? String(first.code) : "";
}
