import { ProblemError } from "./problem.ts";

/** Bytes `[start, end)` of a content. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The value of a `Range` header for the bytes from an offset up to `endBytes`, or to the end. */
export function writeRange(offsetBytes: number, endBytes?: number): string {
  return `bytes=${offsetBytes}-${endBytes === undefined ? "" : endBytes - 1}`;
}

/**
 * The range that a `Range` header asks for, or null where the whole is to be sent: RFC 9110, section
 * 14.2 lets a server ignore what it does not support, such as several ranges.
 *
 * @throws ProblemError `range-not-satisfiable` when it begins behind the end
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null) return null;
  const [, first, last] = match;
  if (first === "" && last === "") return null;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (first !== "" && last !== "" && Number(last) < start) return null;
  if (start >= sizeBytes) {
    throw new ProblemError(
      "range-not-satisfiable",
      `Cannot send bytes from ${start} on: the content has ${sizeBytes}`,
      { sizeBytes },
    );
  }
  return { start, end };
}

/** The value of a `Content-Range` header. */
export function writeContentRange({ start, end }: ByteRange, sizeBytes: number): string {
  return `bytes ${start}-${end - 1}/${sizeBytes}`;
}

/** What a `Content-Range` header says; null where it is malformed. */
export function parseContentRange(
  header: string | null,
): (ByteRange & { sizeBytes: number }) | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(header ?? "");
  if (match === null) return null;
  const [start, last, sizeBytes] = match.slice(1).map(Number) as [number, number, number];
  return start <= last && last < sizeBytes ? { start, end: last + 1, sizeBytes } : null;
}
