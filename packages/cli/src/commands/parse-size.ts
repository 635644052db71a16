import { InvalidArgumentError } from "@commander-js/extra-typings";

const UNITS_BYTES: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
  ["TiB", 1024 ** 4],
]);

/** Reads a size of an option, `512MiB` or `1.5GiB`, in bytes. */
export function parseSize(text: string): number {
  const [, number = "", unit = ""] = /^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)$/.exec(text) ?? [];
  const unitBytes = UNITS_BYTES.get(unit);
  if (unitBytes === undefined) {
    throw new InvalidArgumentError(
      "A size is a number with a unit: 64KiB, 512MiB, 1.5GiB or 1TiB.",
    );
  }
  return Math.round(Number(number) * unitBytes);
}

/** {@link parseSize}, or null for `none`. */
export function parseSizeOrNone(text: string): number | null {
  return text === "none" ? null : parseSize(text);
}
