import { IzoError } from "@izo/core";

/** No conflict stands where the user named one. */
export class NoConflictError extends IzoError {
  constructor(path: string, found: string) {
    super("no-conflict", `Cannot find a conflict at ${JSON.stringify(path)}: ${found}`, { path });
  }
}

/** A conflict cannot be resolved in the way that was asked for; nothing was changed. */
export class CannotResolveError extends IzoError {
  constructor(path: string, found: string, options?: ErrorOptions) {
    super(
      "cannot-resolve",
      `Cannot resolve the conflict of ${JSON.stringify(path)}: ${found}`,
      { path },
      options,
    );
  }
}
