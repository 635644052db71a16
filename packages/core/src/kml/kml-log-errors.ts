import { IzoError } from "../errors.ts";
import type { Recno } from "./identity.ts";

/** Nothing was appended; the log is as before. `cause` is the disk's error (`ENOSPC`, …). */
export class KmlAppendError extends IzoError {
  constructor(recno: Recno, segment: string, cause: unknown) {
    super(
      "kml-append-failed",
      `Cannot append record ${recno} to ${segment}: ${reasonOf(cause)}`,
      { recno, segment },
      { cause },
    );
  }
}

/** The log cannot promise anything any more until it is opened again. */
export class KmlBrokenError extends IzoError {
  constructor(segment: string, cause: unknown) {
    super(
      "kml-broken",
      `Cannot go on with ${segment} until the log is opened again: ${reasonOf(cause)}`,
      { segment },
      { cause },
    );
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
