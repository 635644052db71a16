import { formatTimeNs } from "../kml/format-time.ts";
import type { Recno, TimeNs } from "../kml/identity.ts";
import { ProblemError } from "./problem.ts";

/** A place in the log, as `?at=` names it: behind a record, or behind the last record of a log time. */
export type LogPlace =
  | { readonly kind: "recno"; readonly recno: Recno }
  | { readonly kind: "time"; readonly timeNs: TimeNs };

const RECNO = /^\d{1,15}$/;

/** RFC 3339: with its zone, so that it means the same on both sides. */
const TIME = /^@(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/**
 * The text of a place: a recno, or `@` and a time in UTC.
 *
 * @example writeLogPlace({ kind: "recno", recno: 41 as Recno }) // "41"
 */
export function writeLogPlace(place: LogPlace): string {
  return place.kind === "recno" ? String(place.recno) : `@${formatTimeNs(place.timeNs)}`;
}

/** Reads {@link writeLogPlace}, and times of any zone. @throws ProblemError `invalid-request` */
export function parseLogPlace(text: string): LogPlace {
  if (RECNO.test(text)) return { kind: "recno", recno: Number(text) as Recno };
  const [, seconds, fraction = "", zone] = TIME.exec(text) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(ms)) {
    throw new ProblemError(
      "invalid-request",
      `Cannot read the place ${JSON.stringify(text)}: expected a recno, or "@" and a time as in "@2026-01-02T03:04:05Z"`,
      { at: text },
    );
  }
  return { kind: "time", timeNs: BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0")) };
}
