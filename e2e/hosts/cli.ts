import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type CommandOptions, type CommandResult, tryCommand } from "./run-command.ts";

const CHECKOUT = join(import.meta.dirname, "../..");

/**
 * The command line that starts `izo`: from source, on the Node that runs the tests. `IZO_E2E_CLI=bundle`
 * takes what `pnpm build` made instead.
 */
export function izoCommand(): string[] {
  if (process.env["IZO_E2E_CLI"] === "bundle") {
    return [process.execPath, join(CHECKOUT, "packages/cli/bundle/main.js")];
  }
  return [process.execPath, "--conditions=izo:source", join(CHECKOUT, "packages/cli/src/main.ts")];
}

/** Runs `izo` to its end; `prefix` puts it on a host. */
export async function tryIzo(
  args: readonly string[],
  options: CommandOptions & { readonly prefix?: (command: readonly string[]) => string[] } = {},
): Promise<CommandResult> {
  const command = [...izoCommand(), ...args];
  return tryCommand(options.prefix === undefined ? command : options.prefix(command), options);
}

/** Runs `izo … --json`, which must succeed, and gives the object that it prints. */
export async function izoJson<T>(
  args: readonly string[],
  options: Parameters<typeof tryIzo>[1] & { readonly logFile?: string } = {},
): Promise<T> {
  const { status, stdout, stderr } = await tryIzo([...args, "--json"], options);
  if (status !== 0) {
    throw new Error(
      `Cannot run izo ${args.join(" ")}: exit status ${status}\n${stderr}${tailOf(options.logFile)}`,
    );
  }
  return JSON.parse(stdout) as T;
}

/** The end of a log, to be shown with a failure. */
export function tailOf(logFile: string | undefined): string {
  if (logFile === undefined) return "";
  try {
    return readFileSync(logFile, "utf8").split("\n").slice(-30).join("\n");
  } catch {
    return "";
  }
}
