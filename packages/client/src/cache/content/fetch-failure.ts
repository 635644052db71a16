/** What it means to a program that a content cannot be fetched. */
import { IzoError, type Recno, type Sha256 } from "@izo/core";

import { ErrnoError } from "../../fuse/errno.ts";
import { WrongContentError } from "./download.ts";

export function unreachable(sha256: Sha256, cause?: unknown): ErrnoError {
  return new ErrnoError(
    "EHOSTUNREACH",
    `Cannot fetch content ${sha256}: the server cannot be reached, and the content is not in the cache`,
    { sha256 },
    cause,
  );
}

/** The record that replaced a content which the server does not have any more. */
export function supersededBy(error: unknown): Recno | undefined {
  if (!(error instanceof IzoError) || error.code !== "content-superseded") return undefined;
  return typeof error.data["recno"] === "number" ? (error.data["recno"] as Recno) : undefined;
}

/** The server has not got the content, and never had it. */
export function isUnknown(error: unknown): boolean {
  return error instanceof IzoError && error.code === "unknown-content";
}

/** An error of a source, with an errno where there is one for it. @param lost the source's */
export function asFailure(error: unknown, sha256: Sha256, lost?: AbortSignal): unknown {
  if (lost?.aborted === true) return unreachable(sha256, lost.reason);
  if (error instanceof WrongContentError) return wrong(error);
  if (error instanceof IzoError && error.code === "unreachable") return unreachable(sha256, error);
  return error;
}

export function wrong(error: WrongContentError): ErrnoError {
  return new ErrnoError("EIO", error.message, error.data, error);
}
