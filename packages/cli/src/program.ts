import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";

import { ALL_COMMANDS } from "./all-commands.ts";
import type { Cli } from "./cli.ts";
import { applyConfig } from "./config/apply-config.ts";
import { loadConfig } from "./config/load-config.ts";
import { izoVersion } from "./version.ts";

const HELP = `
Every command takes --json. Settings come from the command line, else the environment (IZO_…), else
izo.config.json in the working directory or ~/.config/izo/config.json (--config FILE names another).

Exit status: 0 done, 1 failed, 2 not understood, 3 nobody answers, 4 in conflict or held by somebody,
5 damaged log, 6 time is over, 130 interrupted.

Examples:
  izo serve /srv/project                                  on the machine that has the files
  izo mount http://nas:8370/rootfset /mnt/project         on any other
  izo status /mnt/project
  izo demo                                                see it work, on this machine alone`;

/** Of all words these alone say something about the commands beside them. */
const ABOUT_OTHERS: ReadonlySet<string> = new Set(["completion", "help"]);

/** The whole command line of `izo`. */
export function createProgram(cli: Cli): Promise<CommandUnknownOpts> {
  return programOf(Object.keys(ALL_COMMANDS), cli);
}

/** As {@link createProgram}, but with no more commands than it takes to understand `argv`. */
export function createProgramFor(argv: readonly string[], cli: Cli): Promise<CommandUnknownOpts> {
  const [first = ""] = argv;
  if (first === "--version" || first === "-V") return programOf([], cli);
  const isAlone = Object.hasOwn(ALL_COMMANDS, first) && !ABOUT_OTHERS.has(first);
  return isAlone ? programOf([first], cli) : createProgram(cli);
}

async function programOf(names: readonly string[], cli: Cli): Promise<CommandUnknownOpts> {
  const commands = await Promise.all(names.map((name) => ALL_COMMANDS[name]!(cli)));
  const program = new Command("izo")
    .description("A distributed file system: a directory, served in place, mounted anywhere")
    .option("--config <file>", "use this configuration file (env: IZO_CONFIG)")
    .version(izoVersion(), "-V, --version", "print the version")
    .addHelpText("after", HELP)
    .helpCommand("help [command]", "show the help of a command");
  for (const command of commands) program.addCommand(command);
  program.hook("preAction", async (root, command) => {
    const named = root.opts().config ?? cli.env["IZO_CONFIG"];
    applyConfig(command, await loadConfig({ named, cwd: cli.cwd, env: cli.env }));
  });
  prepare(program, cli);
  return program;
}

/** Commands made on their own do not inherit: each throws instead of exiting, and writes where we say. */
function prepare(command: CommandUnknownOpts, cli: Cli): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => cli.stdout.write(text),
    writeErr: (text) => cli.stderr.write(text),
    // The error is thrown as well, and reported with all others.
    outputError() {},
  });
  for (const child of command.commands) prepare(child, cli);
}
