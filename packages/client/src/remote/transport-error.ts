import { RemoteUnreachableError, RemoteUntrustedError } from "../sync/remote-error.ts";

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
  ENOENT: "no server runs there",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name cannot be looked up now",
  EHOSTUNREACH: "there is no way to the host",
  ENETUNREACH: "there is no way to the network",
  ETIMEDOUT: "no answer in time",
};

/** What OpenSSL and Node say of certificates (tls, "X509 certificate error codes"), in words. */
const DISTRUST: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by nobody known here",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by nobody known here",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is signed by nobody known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is signed by nobody known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by nobody known here",
  CERT_SIGNATURE_FAILURE: "its certificate is signed wrongly",
  CERT_HAS_EXPIRED: "its certificate is over",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  CERT_REVOKED: "its certificate was revoked",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is of another host",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it wants a client certificate",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "it does not know who signed the client certificate",
  "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE": "it wants a client certificate",
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE": "it does not accept the client certificate",
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED": "the client certificate is over",
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
  const distrust = DISTRUST[code];
  if (distrust !== undefined) return new RemoteUntrustedError(url, distrust, { cause: error });
  const words = REASONS[code] ?? (error instanceof Error ? error.message : code);
  // TLS 1.3 tells a client that it is not wanted after its side of the handshake, by closing.
  const isMaybeUnwanted = BROKEN.has(code) && url.startsWith("https:");
  const reason = isMaybeUnwanted ? `${words}, or it wants a client certificate` : words;
  return new RemoteUnreachableError(url, reason, { cause: error });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses were tried: each attempt has its own error.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error && "code" in first ? String(first.code) : "";
}
