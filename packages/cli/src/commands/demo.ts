import { Command } from "@commander-js/extra-typings";

import { type Cli, outputOf } from "../cli.ts";
import { requireMounts } from "../demo/demo-requirements.ts";
import { formatFigures, runDemo } from "../demo/run-demo.ts";
import { formatMs } from "../output/quantity.ts";
import { jsonOption } from "./json-option.ts";

/** `izo demo`: the main job on this machine alone, from nothing, and nothing is left behind. */
export function demoCommand(cli: Cli) {
  return new Command("demo")
    .description("show the main job on this machine: serve, mount twice, change, conflict, log")
    .argument(
      "[dir]",
      "work on a copy of this directory; by default on some packages of this program",
    )
    .addOption(jsonOption())
    .addHelpText("after", "\nExamples:\n  izo demo\n  izo demo ~/project --json")
    .action(async (dir, options) => {
      requireMounts(cli.env);
      const output = outputOf(cli, options);
      const startMs = performance.now();
      const figures = await runDemo(dir, output, cli.signal);
      const durationMs = performance.now() - startMs;
      const text = `\n${formatFigures(figures)}\n\nDone in ${formatMs(durationMs)}; everything is cleaned up.`;
      output.result({ ...figures, durationMs }, text);
    });
}
