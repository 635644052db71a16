import { IzoError, type Problem } from "@izo/core";

/** The server refuses a request; `code` and `status` are those of the protocol. */
export class RemoteProblemError extends IzoError {
  readonly status: number;

  constructor(doing: string, { code, status, detail, data }: Problem) {
    super(code, `Cannot ${doing}: ${detail}`, data);
    this.status = status;
  }
}

/** There is no answer, or none in time: the server or the network is away. */
export class RemoteUnreachableError extends IzoError {
  constructor(doing: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("unreachable", `Cannot ${doing}: ${reason}`, {}, { cause });
  }
}

/** The answer is none that the protocol allows: this is another kind of server, or a hostile one. */
export class RemoteProtocolError extends IzoError {
  constructor(doing: string, found: string, options?: ErrorOptions) {
    super("protocol-error", `Cannot ${doing}: ${found}`, { found }, options);
  }
}
