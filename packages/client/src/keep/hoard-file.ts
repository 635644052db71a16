import { compilePattern, IzoError } from "@izo/core";

/** What matches a pattern is fetched without being asked for, before what has a lower priority. */
export interface HoardRule {
  readonly pattern: string;
  /** From 1 to {@link MAX_PRIORITY}. */
  readonly priority: number;
}

export const MAX_PRIORITY = 1000;

const DEFAULT_PRIORITY = 100;

/** A line of a hoard file that says nothing that can be done. */
export class InvalidHoardError extends IzoError {
  constructor(line: number, reason: string, cause?: unknown) {
    super(
      "invalid-hoard",
      `Cannot use line ${line} of the hoard file: ${reason}`,
      { line },
      { cause },
    );
  }
}

/**
 * Reads a hoard file: a pattern per line, with a priority before it where it shall not be 100; `#` begins
 * a comment line.
 *
 * @example
 * parseHoardFile("500 /src/\n*.pdf\n");
 * @throws InvalidHoardError
 */
export function parseHoardFile(text: string): HoardRule[] {
  const rules: HoardRule[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    rules.push(parseRule(line, index + 1));
  }
  return rules;
}

function parseRule(line: string, number: number): HoardRule {
  const match = /^(\d+)\s+(.+)$/.exec(line);
  const priority = match?.[1] === undefined ? DEFAULT_PRIORITY : Number(match[1]);
  const pattern = match?.[2] ?? line;
  if (priority < 1 || priority > MAX_PRIORITY)
    throw new InvalidHoardError(number, `a priority is a number from 1 to ${MAX_PRIORITY}`);
  try {
    compilePattern(pattern);
  } catch (cause) {
    throw new InvalidHoardError(
      number,
      cause instanceof Error ? cause.message : String(cause),
      cause,
    );
  }
  return { pattern, priority };
}
