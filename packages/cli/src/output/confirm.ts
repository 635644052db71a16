import { createInterface } from "node:readline/promises";

import type { Cli } from "../cli.ts";
import { UsageError } from "../usage-error.ts";

/**
 * Asks whoever sits at the terminal; anything but yes is no.
 *
 * @throws UsageError where nobody can answer: scripts say `--yes`
 */
export async function confirm(question: string, cli: Cli): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError(
      "Cannot ask for a confirmation: standard input is no terminal",
      "look at it with --dry-run, then say --yes",
    );
  }
  using terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `, { signal: cli.signal });
  return /^y(es)?$/i.test(answer.trim());
}
