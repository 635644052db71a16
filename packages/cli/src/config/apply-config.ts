import type { CommandUnknownOpts } from "@commander-js/extra-typings";

import type { Config } from "./config-schema.ts";

/**
 * Gives the options of a parsed command the configured values where the user said nothing. What counts
 * is, in this order: the command line, the environment (`IZO_…`), the configuration file, the default.
 */
export function applyConfig(command: CommandUnknownOpts, config: Config): void {
  const section = (config as Readonly<Record<string, Record<string, unknown> | undefined>>)[
    command.name()
  ];
  for (const [option, value] of Object.entries(section ?? {})) {
    const source = command.getOptionValueSource(option);
    if (source === undefined || source === "default") {
      command.setOptionValueWithSource(option, value, "config");
    }
  }
}
