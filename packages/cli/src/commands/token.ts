import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { StoredToken } from "@izo/server";

import { type Cli, outputOf } from "../cli.ts";
import { formatTable } from "../output/table.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";
import { parseAge } from "./parse-age.ts";

/** As `@izo/server` has them, which is loaded only where it is used. */
const ACCESS = ["read", "write", "log"] as const;

/** `izo token`: who may ask a server for what. */
export function tokenCommand(cli: Cli) {
  return new Command("token")
    .description("make, list and revoke the tokens that a served directory requires")
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(revokeCommand(cli));
}

function createCommand(cli: Cli) {
  return new Command("create")
    .description("make a token and print it, once")
    .argument("<dir>", "the directory that this machine serves, or will")
    .option("--name <name>", "who holds it; a new token of the same name goes on for an old one")
    .addOption(
      new Option("--access <access>", "what it allows: all reading, changes too, or the log only")
        .choices(ACCESS)
        .default("write" as const),
    )
    .addOption(
      new Option("--path <path>", "reading only: nothing but files below it; write: changes there")
        .argParser(parsePath)
        .default("/"),
    )
    .addOption(
      new Option("--expires <age>", "it is over after this time: 12h, 30d (default: never)")
        .argParser(parseAge)
        .default(undefined),
    )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
From the first token on the server requires one of everybody, also after the last one was revoked. A
running server knows at once. The token itself is kept nowhere: put it in a file on the client that only
its user can read, and name that file with --token-file.

  read    everything but changes; with --path the files below it (the files route), and nothing else
  write   what a mount needs: all of the fileset is read; with --path changes below it only
  log     records, tree and figures, no contents

A peer (a mount's cache) belongs to the name of the token that it first used; no other can go on as it.

Examples:
  izo token create /srv/project --name laptop > laptop.token
  izo token create /srv/project --name prometheus --access log
  izo token create /srv/project --name guest --access read --path /public --expires 30d`,
    )
    .action(async (dir, options) => {
      const { tokensOf } = await import("@izo/server");
      const { name, access, path, expires } = options;
      const expiresMs = expires === undefined ? null : Date.now() + expires;
      const tokens = tokensOf(dir, options.fileset);
      const isFirst = !tokens.isRequired;
      const { text, stored } = tokens.create({ name, access, path, expiresMs });
      const output = outputOf(cli, options);
      if (isFirst) output.warn("this is the first token: from now on the server requires one");
      output.result({ token: text, ...describe(stored) }, text);
    });
}

function listCommand(cli: Cli) {
  return new Command("list")
    .description("list the tokens, without what is secret of them")
    .argument("<dir>", "the directory that this machine serves")
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  izo token list /srv/project")
    .action(async (dir, options) => {
      const { tokensOf } = await import("@izo/server");
      const tokens = tokensOf(dir, options.fileset).list();
      const found = { isRequired: tokens !== null, tokens: (tokens ?? []).map(describe) };
      outputOf(cli, options).result(found, describeAll(tokens));
    });
}

function revokeCommand(cli: Cli) {
  return new Command("revoke")
    .description("end a token, at once, also what it is being answered")
    .argument("<dir>", "the directory that this machine serves")
    .argument("<token>", "its id, or a name: then all tokens of that name")
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  izo token revoke /srv/project laptop\n  izo token revoke /srv/project 3f2a91c0",
    )
    .action(async (dir, given, options) => {
      const { tokensOf } = await import("@izo/server");
      const revoked = tokensOf(dir, options.fileset).revoke(given);
      const text = revoked.map(({ id, name }) => `revoked ${id} ${name}`).join("\n");
      outputOf(cli, options).result({ revoked: revoked.map(describe) }, text);
    });
}

/** All of a token but its hash. */
function describe({ id, name, access, path, createdMs, expiresMs }: StoredToken) {
  return { id, name, access, path, createdMs, expiresMs };
}

function describeAll(tokens: readonly StoredToken[] | null): string {
  if (tokens === null) return "no token was ever made, and none is required";
  if (tokens.length === 0) return "there is no token, and one is required: nobody gets in";
  const columns = [
    { title: "id" },
    { title: "name" },
    { title: "access" },
    { title: "path" },
    { title: "created" },
    { title: "expires" },
  ] as const;
  const rows = tokens.map(({ id, name, access, path, createdMs, expiresMs }) => [
    id,
    name,
    access,
    path,
    new Date(createdMs).toISOString(),
    expiresMs === null ? "never" : describeEnd(expiresMs),
  ]);
  return formatTable(columns, rows);
}

function describeEnd(expiresMs: number): string {
  const time = new Date(expiresMs).toISOString();
  return expiresMs <= Date.now() ? `over since ${time}` : time;
}

/** A path of the fileset, as its names are written. */
function parsePath(text: string): string {
  const names = text.split("/").filter((name) => name !== "");
  if (!text.startsWith("/") || names.some((name) => name === "." || name === "..")) {
    throw new InvalidArgumentError("A path of the fileset begins with a slash: /public/docs.");
  }
  return `/${names.join("/")}`;
}
