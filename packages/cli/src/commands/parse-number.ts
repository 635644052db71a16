import { InvalidArgumentError } from "@commander-js/extra-typings";
import { isRecno, type Recno } from "@izo/core";

/** Reads a record number of an option. */
export function parseRecno(text: string): Recno {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !isRecno(number)) {
    throw new InvalidArgumentError("A record number is a whole number from 0 on.");
  }
  return number;
}

/** Reads a count of an option. */
export function parseCount(text: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError("A count is a whole number from 0 on.");
  }
  return number;
}

/** Reads a duration in seconds of an option, `30` or `0.5`. */
export function parseSeconds(text: string): number {
  const number = Number(text);
  if (!/^[0-9]+(?:\.[0-9]+)?$/.test(text) || number <= 0) {
    throw new InvalidArgumentError("A time is a number of seconds above 0.");
  }
  return number;
}

/** Reads the term of permits: below a second the network's delays would be most of it. */
export function parsePermitTerm(text: string): number {
  const seconds = parseSeconds(text);
  if (seconds < 1) throw new InvalidArgumentError("A permit's term is at least 1 second.");
  return seconds;
}

/** Reads a share in percent, from 1 to 100. */
export function parsePercent(text: string): number {
  const percent = Number(text);
  if (!/^[0-9]+$/.test(text) || percent < 1 || percent > 100) {
    throw new InvalidArgumentError("A share is a whole number of percent from 1 to 100.");
  }
  return percent;
}
