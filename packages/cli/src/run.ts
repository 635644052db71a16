import { CommanderError } from "commander";

import type { Cli } from "./cli.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./output/exit-code.ts";
import { reportError } from "./output/report-error.ts";
import { createProgramFor } from "./program.ts";
import { UsageError } from "./usage-error.ts";

/** Runs one command line and reports what went wrong, here and nowhere else; gives the exit status. */
export async function run(argv: readonly string[], cli: Cli): Promise<ExitCode> {
  try {
    const program = await createProgramFor(argv, cli);
    await program.parseAsync(argv, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (cli.signal.aborted) return EXIT.interrupted;
    if (error instanceof CommanderError && isHelp(error)) return EXIT.ok;
    const cause = error instanceof CommanderError ? toUsageError(error, argv) : error;
    reportError(cause, wantsJson(argv), cli.stderr);
    return exitCodeOf(cause);
  }
}

function isHelp({ code }: CommanderError): boolean {
  return (
    code === "commander.helpDisplayed" || code === "commander.help" || code === "commander.version"
  );
}

function toUsageError({ code, message }: CommanderError, argv: readonly string[]): UsageError {
  const reason = message
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  const command =
    code === "commander.unknownCommand" ? undefined : argv.find((word) => !word.startsWith("-"));
  const help = ["izo", ...(command === undefined ? [] : [command]), "--help"].join(" ");
  return new UsageError(`Cannot understand the command: ${reason}`, `see: ${help}`);
}

/** Errors come before options are parsed, too. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--json");
}
