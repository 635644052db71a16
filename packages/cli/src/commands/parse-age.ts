import { InvalidArgumentError } from "@commander-js/extra-typings";

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1_000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Reads an age of an option, `90s`, `30min`, `12h` or `7d`, in ms. */
export function parseAge(text: string): number {
  const [, number = "", unit = ""] = /^([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)$/.exec(text) ?? [];
  const unitMs = UNITS_MS.get(unit);
  if (unitMs === undefined) {
    throw new InvalidArgumentError("An age is a number with a unit: 90s, 30min, 12h or 7d.");
  }
  return Math.round(Number(number) * unitMs);
}
