import { IzoError, type Problem } from "@izo/core";

/** The server refuses: `code` and `status` are those of the protocol. */
export class RemoteProblemError extends IzoError {
  readonly status: number;

  constructor(problem: Problem) {
    super(problem.code, problem.detail === "" ? problem.title : problem.detail, problem.data);
    this.status = problem.status;
  }
}

/** What was sent does not have the hash that it was sent under. */
export function isWrongHash(error: unknown): boolean {
  return error instanceof RemoteProblemError && error.code === "wrong-hash";
}

/** No answer, a cut connection, or a proxy that found nobody behind it. Trying again later may help. */
export class RemoteUnreachableError extends IzoError {
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super("unreachable", `Cannot reach ${url}: ${reason}`, { url, reason }, options);
  }
}

/** An answer that the protocol does not allow: no izo server, a wrong one, or a hostile one. */
export class RemoteProtocolError extends IzoError {
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super("protocol-error", `Cannot use the answer of ${url}: ${reason}`, { url, reason }, options);
  }
}

/** The other side is not who it should be, or wants to know better who we are: nothing was sent to it. */
export class RemoteUntrustedError extends IzoError {
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super("untrusted-server", `Cannot trust ${url}: ${reason}`, { url, reason }, options);
  }
}
