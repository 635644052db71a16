import type { ArgumentPage, CommandPage, OptionPage } from "./command-page.ts";

/** A manual page: its file name below `man/`, and its text in the man macros, man(7). */
export interface ManualPage {
  readonly file: string;
  readonly text: string;
}

/** The exit statuses of every command, as `izo --help` names them. */
const EXIT_STATUSES = [
  ["0", "done"],
  ["1", "failed"],
  ["2", "not understood"],
  ["3", "nobody answers"],
  ["4", "in conflict, or held by somebody"],
  ["5", "damaged log"],
  ["6", "time is over"],
  ["130", "interrupted"],
] as const;

/** Writes the manual page of a command: `izo-serve.1` of `izo serve`. */
export function writeManualPage(page: CommandPage, version: string): ManualPage {
  const name = page.words.join("-");
  const isRoot = page.words.length === 1;
  const lines = [
    `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`izo ${version}`)} "izo manual"`,
    ".SH NAME",
    `${escape(name)} \\- ${escape(lowerFirst(page.description))}`,
    ".SH SYNOPSIS",
    ...synopsis(page),
    ...(page.notes === "" ? [] : [".SH DESCRIPTION", ...paragraphs(page.notes)]),
    ...(page.arguments.length === 0 ? [] : [".SH ARGUMENTS"]),
    ...page.arguments.flatMap((argument) => [
      ".TP",
      `.I ${escape(argument.name)}`,
      escapeLine(argument.description),
    ]),
    ...(page.options.length === 0 ? [] : [".SH OPTIONS"]),
    ...page.options.flatMap(optionLines),
    ...(page.commands.length === 0 ? [] : [".SH COMMANDS"]),
    ...page.commands.flatMap((child) => [
      ".TP",
      `.BR ${escape(child.words.join("-"))} (1)`,
      escapeLine(child.description),
    ]),
    ...environment(page),
    ".SH EXIT STATUS",
    ...EXIT_STATUSES.flatMap(([status, meaning]) => [".TP", `.B ${status}`, meaning]),
    ...(page.examples === ""
      ? []
      : [".SH EXAMPLES", ".nf", ...page.examples.split("\n").map(escapeLine), ".fi"]),
    ".SH SEE ALSO",
    isRoot ? ".BR mount.izo (8)" : `.BR ${escape(page.words.slice(0, -1).join("-"))} (1)`,
  ];
  return { file: `${name}.1`, text: `${lines.join("\n")}\n` };
}

function synopsis({ words, arguments: args, options, commands }: CommandPage): string[] {
  const parts = [
    `\\fB${escape(words.join(" "))}\\fR`,
    ...(options.length > 0 ? ["[\\fIoptions\\fR]"] : []),
    ...(commands.length > 0 ? ["\\fIcommand\\fR"] : []),
    ...args.map(argumentSynopsis),
  ];
  return [parts.join(" ")];
}

function argumentSynopsis({ name, isRequired, isVariadic }: ArgumentPage): string {
  const text = `\\fI${escape(name)}\\fR${isVariadic ? "..." : ""}`;
  return isRequired ? text : `[${text}]`;
}

function optionLines({ flags, description, choices, defaultText, env }: OptionPage): string[] {
  const facts = [
    ...(choices.length > 0 ? [`one of ${choices.join(", ")}`] : []),
    ...(defaultText === undefined ? [] : [`default: ${defaultText}`]),
    ...(env === undefined ? [] : [`environment: ${env}`]),
  ];
  const behind = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
  return [".TP", `.B ${escape(flags)}`, escapeLine(description + behind)];
}

function environment({ options }: CommandPage): string[] {
  const named = options.filter(({ env }) => env !== undefined);
  if (named.length === 0) return [];
  return [
    ".SH ENVIRONMENT",
    ...named.flatMap(({ name, env }) => [
      ".TP",
      `.B ${escape(env ?? "")}`,
      escapeLine(`sets ${name}`),
    ]),
  ];
}

/** Paragraphs of running text; lines that are indented stay as they are. */
function paragraphs(text: string): string[] {
  return text.split(/\n{2,}/).flatMap((paragraph) => {
    const lines = paragraph.split("\n");
    const isVerbatim = lines.every((line) => /^\s/.test(line));
    return isVerbatim
      ? [".PP", ".nf", ...lines.map(escapeLine), ".fi"]
      : [".PP", ...lines.map(escapeLine)];
  });
}

/**
 * A backslash begins an escape; a plain hyphen may be printed as another character; groff reads ASCII
 * unless it is told otherwise.
 */
function escape(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/[^\n -~]/gu, (letter) => {
      const code = letter.codePointAt(0)?.toString(16).toUpperCase() ?? "";
      return `\\[u${code.padStart(4, "0")}]`;
    });
}

/** A line of text: a dot or an apostrophe at its start would make it a request. */
function escapeLine(line: string): string {
  return escape(line).replace(/^(?=[.'])/, "\\&");
}

function quoted(text: string): string {
  return `"${escape(text)}"`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
