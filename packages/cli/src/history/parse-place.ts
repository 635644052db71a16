import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { LogPlace, Recno } from "@izo/core";

import { parseAge } from "../commands/parse-age.ts";

/** From one place of the log to another; no end means the head. */
export interface PlaceRange {
  readonly from: LogPlace;
  readonly to: LogPlace | undefined;
}

const HELP = "A place is a record number, or @ and a time: 41, @2026-01-02T03:04, @2h (ago).";

/**
 * Reads a place in the log as a person writes it: a record number, a time (of this machine's zone where
 * it names none), or an age.
 */
export function parsePlace(text: string): LogPlace {
  if (/^\d{1,15}$/.test(text)) return { kind: "recno", recno: Number(text) as Recno };
  if (!text.startsWith("@")) throw new InvalidArgumentError(HELP);
  const ms = /^@[\d.]+\s*[a-z]+$/.test(text)
    ? Date.now() - parseAge(text.slice(1))
    : parseTime(text.slice(1));
  if (Number.isNaN(ms)) throw new InvalidArgumentError(HELP);
  return { kind: "time", timeNs: BigInt(ms) * 1_000_000n };
}

/** Reads `A..B`, or `A..` for what came since. */
export function parsePlaceRange(text: string): PlaceRange {
  const dots = text.indexOf("..");
  if (dots < 0) throw new InvalidArgumentError(`A range is A..B, or A.. up to now. ${HELP}`);
  const end = text.slice(dots + 2);
  return {
    from: parsePlace(text.slice(0, dots)),
    to: end === "" ? undefined : parsePlace(end),
  };
}

/** A date alone is its beginning here; JavaScript would take it for one in Greenwich. */
function parseTime(text: string): number {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
  return Date.parse(isDate ? `${text}T00:00` : text.replace(" ", "T"));
}
