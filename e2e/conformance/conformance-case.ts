/**
 * A named case: system calls in their order, as text for the caller (caller/caller.h), one per line.
 *
 * `2:` before a call lets a second process make it. ` => ANSWER` at its end states what must come back;
 * without it, whatever the plain directory answers is right.
 */
export interface ConformanceCase {
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface Step {
  /** Which process; each case starts them anew, as root with a umask of 0, in a directory of its own. */
  readonly process: number;
  readonly call: string;
  readonly expected: string | undefined;
}

/** Cases of one theme, from their names and texts. */
export function defineCases(
  theme: string,
  texts: Readonly<Record<string, string>>,
): ConformanceCase[] {
  return Object.entries(texts).map(([name, text]) => ({
    name: `${theme}: ${name}`,
    steps: parseSteps(text),
  }));
}

function parseSteps(text: string): Step[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").map(parseStep);
}

function parseStep(line: string): Step {
  const [, process = "1", call = "", expected] = /^(?:(\d):)?(.*?)(?: => (.*))?$/.exec(line) ?? [];
  return { process: Number(process), call, expected };
}
