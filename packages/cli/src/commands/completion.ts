import { Argument, Command, type CommandUnknownOpts } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { describeCommand } from "../pages/command-page.ts";
import { COMPLETION_SHELLS, writeCompletion } from "../pages/completion.ts";
import { jsonOption } from "./json-option.ts";

/** `izo completion`: the script by which a shell completes `izo`, made from the commands themselves. */
export function completionCommand(cli: Cli) {
  const command = new Command("completion")
    .description("print the script by which a shell completes izo")
    .addArgument(new Argument("<shell>", "which shell").choices(COMPLETION_SHELLS))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Examples:
  source <(izo completion bash)
  izo completion bash > /etc/bash_completion.d/izo
  izo completion zsh > /usr/local/share/zsh/site-functions/_izo
  izo completion fish > ~/.config/fish/completions/izo.fish`,
    )
    .action((shell, options) => {
      const script = writeCompletion(shell, describeCommand(rootOf(command)));
      outputOf(cli, options).result({ shell, script }, script.trimEnd());
    });
  return command;
}

function rootOf(command: CommandUnknownOpts): CommandUnknownOpts {
  return command.parent === null ? command : rootOf(command.parent);
}
