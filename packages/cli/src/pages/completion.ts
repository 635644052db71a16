import { allPages, type CommandPage } from "./command-page.ts";

/** Shells for which there is a completion. */
export const COMPLETION_SHELLS = ["bash", "zsh", "fish"] as const;

export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

/** Writes the script that a shell loads to complete commands, options and their values; paths else. */
export function writeCompletion(shell: CompletionShell, root: CommandPage): string {
  switch (shell) {
    case "bash":
      return bashCompletion(root);
    case "zsh":
      // zsh takes completions written for bash.
      return `#compdef izo\nautoload -U +X bashcompinit && bashcompinit\n${bashCompletion(root)}`;
    case "fish":
      return fishCompletion(root);
  }
}

/**
 * The words before the cursor that are no options name the command; what it takes next is looked up by
 * them. Of an option that takes a value its choices are offered, else files.
 */
function bashCompletion(root: CommandPage): string {
  const pages = [...allPages(root)];
  const words = pages.map((page) => {
    const offered = [
      ...page.commands.map(({ words: path }) => path.at(-1)),
      ...page.options.map(({ name }) => name),
      "--help",
    ];
    return `    ${shellWord(page.words.join(" "))}) offered=${shellWord(offered.join(" "))} ;;`;
  });
  const values = pages.flatMap((page) =>
    page.options
      .filter(({ takesValue }) => takesValue)
      .map(({ name, choices }) => {
        const key = shellWord(`${page.words.join(" ")} ${name}`);
        return `    ${key}) values=${shellWord(choices.join(" "))}; is_value=1 ;;`;
      }),
  );
  const commands = pages.map(({ words: path }) => shellWord(path.join(" "))).join(" | ");
  return `# Completion of izo for bash: source <(izo completion bash)
_izo() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command=izo word offered= values= is_value= index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "$command $word" in
    ${commands}) command="$command $word" ;;
    esac
  done
  case "$command $previous" in
${values.join("\n")}
  esac
  if [[ -n $is_value ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    return
  fi
  case "$command" in
${words.join("\n")}
  esac
  if [[ $current == -* || $command == izo ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "\${offered//--*/}" -- "$current")
  fi
}
complete -o default -F _izo izo
`;
}

function fishCompletion(root: CommandPage): string {
  const lines = [...allPages(root)].flatMap((page) => {
    const [, ...path] = page.words;
    const condition = fishCondition(path, page);
    return [
      ...page.commands.map(
        ({ words, description }) =>
          `complete -c izo -n ${condition} -f -a ${words.at(-1)} -d ${shellWord(description)}`,
      ),
      ...page.options
        .filter(({ name }) => name.startsWith("--"))
        .map(({ name, description, takesValue, choices }) => {
          const value = takesValue
            ? choices.length > 0
              ? ` -x -a ${shellWord(choices.join(" "))}`
              : " -r"
            : "";
          return `complete -c izo -n ${condition} -l ${name.slice(2)}${value} -d ${shellWord(description)}`;
        }),
    ];
  });
  return `# Completion of izo for fish: izo completion fish | source\n${lines.join("\n")}\n`;
}

/** When a command has been named, and none of those below it. */
function fishCondition(path: readonly string[], { commands }: CommandPage): string {
  const below = commands.map(({ words }) => words.at(-1)).join(" ");
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  if (path.length === 0) return "__fish_use_subcommand";
  return shellWord(
    [...seen, ...(below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`])].join("; and "),
  );
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
