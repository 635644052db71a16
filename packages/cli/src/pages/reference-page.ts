import { allPages, type CommandPage, type OptionPage } from "./command-page.ts";

/** Writes the reference of all commands in Markdown: `docs/reference/commands.md`. */
export function writeReference(root: CommandPage): string {
  const [, ...pages] = allPages(root);
  const parts = [
    "# Commands and options",
    "Made from the definitions of the commands, `UPDATE_PAGES=1 pnpm test:unit packages/cli/src/pages`: change those, not this page.",
    root.notes,
    ...pages.map(commandSection),
  ];
  return `${parts.join("\n\n")}\n`;
}

function commandSection(page: CommandPage): string {
  const { words, description, arguments: args, options, notes, examples } = page;
  const usage = [
    ...words,
    ...(page.commands.length > 0 ? ["COMMAND"] : []),
    ...args.map(({ name, isRequired, isVariadic }) => {
      const text = `${name.toUpperCase()}${isVariadic ? "…" : ""}`;
      return isRequired ? text : `[${text}]`;
    }),
  ];
  const parts = [
    `${"#".repeat(words.length)} \`${usage.join(" ")}\``,
    `${description}.`,
    ...(options.length === 0 ? [] : [optionTable(options)]),
    ...(notes === "" ? [] : [notes]),
    ...(examples === "" ? [] : [`\`\`\`\n${examples}\n\`\`\``]),
  ];
  return parts.join("\n\n");
}

function optionTable(options: readonly OptionPage[]): string {
  const rows = options.map(({ flags, description, choices, defaultText, env }) => {
    const facts = [
      ...(choices.length > 0 ? [choices.join(", ")] : []),
      ...(defaultText === undefined ? [] : [`default ${defaultText}`]),
      ...(env === undefined ? [] : [`\`${env}\``]),
    ];
    return `| \`${cell(flags)}\` | ${cell(description)} | ${cell(facts.join("; "))} |`;
  });
  return [
    "| option | what it does | values, default, environment |",
    "|---|---|---|",
    ...rows,
  ].join("\n");
}

/** A bar or a line break would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
