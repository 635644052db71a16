import type { EventEmitter } from "node:events";

import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** What there is to say about one command, taken from its definition: manual pages, completion and the reference are written from it. */
export interface CommandPage {
  /** The words that call it: `["izo", "conflicts", "show"]`. */
  readonly words: readonly string[];
  readonly description: string;
  readonly arguments: readonly ArgumentPage[];
  readonly options: readonly OptionPage[];
  /** What stands behind the options in its help, without the examples. */
  readonly notes: string;
  /** The lines of its examples. */
  readonly examples: string;
  readonly commands: readonly CommandPage[];
}

export interface ArgumentPage {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
}

export interface OptionPage {
  /** As its help names it: `--mode <mode>`. */
  readonly flags: string;
  /** `--mode`, or the short one where there is no other. */
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** The values that it takes, where they are few. */
  readonly choices: readonly string[];
  /** What counts without it, for people; undefined where that is nothing. */
  readonly defaultText: string | undefined;
  /** The variable of the environment that sets it. */
  readonly env: string | undefined;
}

/** Describes a command and those below it. */
export function describeCommand(
  command: CommandUnknownOpts,
  above: readonly string[] = [],
): CommandPage {
  const words = [...above, command.name()];
  const [notes, examples] = splitExamples(textAfterHelp(command));
  return {
    words,
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      isRequired: argument.required,
      isVariadic: argument.variadic,
    })),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map((option) => ({
        flags: option.flags,
        name: option.long ?? option.flags,
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
        defaultText: defaultTextOf(option),
        env: option.envVar,
      })),
    notes,
    examples,
    commands: command.commands.map((child) => describeCommand(child, words)),
  };
}

/** The command and all below it, each before those below it. */
export function* allPages(page: CommandPage): Generator<CommandPage> {
  yield page;
  for (const child of page.commands) yield* allPages(child);
}

function defaultTextOf(option: {
  readonly defaultValue?: unknown;
  readonly defaultValueDescription?: string | undefined;
}): string | undefined {
  const { defaultValue, defaultValueDescription } = option;
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  const isSaid = typeof defaultValue === "string" || typeof defaultValue === "number";
  return isSaid ? String(defaultValue) : undefined;
}

/** What `addHelpText("after", …)` adds; commander gives it to listeners of this event only. */
function textAfterHelp(command: CommandUnknownOpts): string {
  let text = "";
  const emitter = command as CommandUnknownOpts & Pick<EventEmitter, "emit">;
  emitter.emit("afterHelp", {
    error: false,
    command,
    write: (part: string) => {
      text += part;
    },
  });
  return text.trim();
}

function splitExamples(text: string): [notes: string, examples: string] {
  const heading = /^Examples?:\n/m.exec(text);
  if (heading === null) return [text, ""];
  const examples = text.slice(heading.index + heading[0].length);
  return [text.slice(0, heading.index).trim(), examples.replaceAll(/^ {2}/gm, "").trimEnd()];
}
