import { IzoError } from "../errors.ts";

/**
 * Every problem that a server answers with, and its HTTP status (RFC 9457, design P4). The codes are
 * part of the protocol and stable; this is the only place that maps an error to a status.
 */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request cannot be understood" },
  "invalid-position": { status: 400, title: "The position cannot be read" },
  "invalid-name": { status: 400, title: "The path holds a name that cannot exist" },
  "invalid-batch": { status: 400, title: "The batch of records cannot be read" },
  "protocol-version": { status: 400, title: "Client and server speak different versions" },
  "token-required": { status: 401, title: "The server requires a token" },
  "token-invalid": { status: 401, title: "The server has no such token" },
  "token-expired": { status: 401, title: "The token is over" },
  "out-of-scope": { status: 403, title: "The token does not allow this" },
  "peer-taken": { status: 403, title: "The peer belongs to the holder of another token" },
  "read-only": { status: 403, title: "The server takes no changes" },
  "unknown-route": { status: 404, title: "There is no such resource" },
  "unknown-fileset": { status: 404, title: "There is no such fileset" },
  "unknown-path": { status: 404, title: "There is no such file or directory" },
  "unknown-directory": { status: 404, title: "There is no such directory" },
  "unknown-content": { status: 404, title: "No file has or had this content" },
  "unknown-record": { status: 404, title: "The log does not hold this record yet" },
  "unknown-segment": { status: 404, title: "The log has no such segment" },
  "content-superseded": { status: 404, title: "A newer content has replaced this one" },
  "method-not-allowed": { status: 405, title: "The resource does not support this method" },
  "log-diverged": { status: 409, title: "The log does not hold this position" },
  "peer-diverged": { status: 409, title: "Another peer uses this peer's id" },
  "upload-offset": { status: 409, title: "The upload goes on from another offset" },
  "permit-held": { status: 409, title: "Somebody else holds the permit" },
  "mass-removal": { status: 409, title: "The removal of nearly everything has to be confirmed" },
  "permit-passed-on": { status: 409, title: "Somebody else was given the permit since" },
  "content-missing": { status: 409, title: "A content has to be uploaded first" },
  "log-truncated": { status: 410, title: "The log was cut off behind this position" },
  "content-expired": { status: 410, title: "The content is not kept any more" },
  "too-large": { status: 413, title: "The message is larger than this server accepts" },
  "range-not-satisfiable": { status: 416, title: "The range lies outside of the content" },
  "wrong-hash": { status: 422, title: "The content does not have the hash that it was sent under" },
  internal: { status: 500, title: "The server failed" },
  "not-ready": { status: 503, title: "The server cannot answer yet" },
  overloaded: { status: 503, title: "Too much is asked of the server at a time" },
  "no-space": { status: 507, title: "The server's disk is full" },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;
export type ProblemStatus = (typeof PROBLEMS)[ProblemCode]["status"];

/** A problem as it travels: RFC 9457 with our `code`, and what the code says more. */
export interface Problem {
  readonly code: ProblemCode;
  readonly status: ProblemStatus;
  readonly title: string;
  readonly detail: string;
  /** Values of the detail: recnos, hashes, versions. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Tells whether a code is one of the protocol's. */
export function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === "string" && Object.hasOwn(PROBLEMS, code);
}

/** A request that cannot be served as it is; `detail` is for the person who reads the log. */
export class ProblemError extends IzoError {
  declare readonly code: ProblemCode;

  constructor(
    code: ProblemCode,
    detail: string,
    data: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(code, detail, data, options);
  }
}

/** Codes of errors thrown by other parts, where the protocol has another word for them. */
const SYNONYMS: Readonly<Record<string, ProblemCode>> = {
  "invalid-path": "invalid-name",
  "invalid-record": "invalid-batch",
  "wire-format": "invalid-batch",
  "recno-not-in-log": "log-truncated",
  ENOSPC: "no-space",
  EDQUOT: "no-space",
};

/** The problem that an error is to the one who asked. What the protocol does not know is `internal`, without its text. */
export function problemOf(error: unknown): Problem {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const known = isProblemCode(code) ? code : SYNONYMS[String(code)];
  if (known === undefined || !(error instanceof Error)) {
    return describe(
      "internal",
      "Cannot answer: an unexpected error, which the server's log holds",
      {},
    );
  }
  return describe(known, error.message, error instanceof IzoError ? error.data : {});
}

function describe(code: ProblemCode, detail: string, data: Problem["data"]): Problem {
  return { code, ...PROBLEMS[code], detail, data };
}

/** Writes the body of an `application/problem+json` answer. */
export function writeProblem({ code, status, title, detail, data }: Problem): string {
  return JSON.stringify({ type: `urn:izo:problem:${code}`, title, status, detail, code, data });
}

/** Reads the body of an error answer; undefined where it is none of ours, as behind a broken proxy. */
export function parseProblem(body: string): Problem | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("code" in value)) return undefined;
  const { code } = value;
  if (!isProblemCode(code)) return undefined;
  const detail = "detail" in value && typeof value.detail === "string" ? value.detail : "";
  const data = "data" in value && typeof value.data === "object" ? value.data : null;
  return describe(code, detail, { ...data });
}
