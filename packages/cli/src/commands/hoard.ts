import { readFileSync } from "node:fs";

import { Command } from "@commander-js/extra-typings";
import { type HoardRule, parseHoardFile } from "@izo/client";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { formatTable } from "../output/table.ts";
import { UsageError } from "../usage-error.ts";
import { jsonOption } from "./json-option.ts";

const COLUMNS = [{ title: "priority", align: "right" }, { title: "pattern" }] as const;

/** `izo hoard`: which paths are fetched without being asked for. */
export function hoardCommand(cli: Cli) {
  return new Command("hoard")
    .description("show or replace the patterns whose contents are fetched without being asked for")
    .argument("<mnt>", "where it is mounted")
    .argument("[file]", "the new patterns; - for standard input")
    .option("--clear", "hoard nothing any more")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A line of the file is a pattern, with a priority from 1 to 1000 before it (default 100); # begins a
comment. Patterns are those of .gitignore: * and ? within a name, ** for any directories; one without a
slash is a name at any depth, any other counts from the root of the mount. What matches is kept with all
below it, also what comes later. The highest priority is fetched first and leaves the cache last.

  # what I need on the road
  500 /src/
  *.pdf
  10  /archive/**/2026-*

Examples:
  izo hoard /mnt/project ~/road.hoard
  izo hoard /mnt/project                   shows the patterns
  izo hoard /mnt/project --clear`,
    )
    .action(async (mnt, file, options) => {
      if (file !== undefined && options.clear === true)
        throw new UsageError("a file of patterns and --clear exclude each other");
      const { mountPoint, control } = findMount(mnt);
      const change = options.clear === true ? { hoard: [] } : readHoard(file);
      const { hoard } = await control.changeSettings(change);
      outputOf(cli, options).result({ mountPoint, hoard }, describeHoard(hoard));
    });
}

function readHoard(file: string | undefined): { hoard?: HoardRule[] } {
  if (file === undefined) return {};
  return { hoard: parseHoardFile(readFileSync(file === "-" ? 0 : file, "utf8")) };
}

function describeHoard(hoard: readonly HoardRule[]): string {
  if (hoard.length === 0) return "nothing is hoarded";
  return formatTable(
    COLUMNS,
    hoard.map(({ pattern, priority }) => [String(priority), pattern]),
  );
}
