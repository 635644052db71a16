import { Command } from "@commander-js/extra-typings";
import { KML_VERSION, PROTOCOL_VERSION } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { formatFields } from "../output/table.ts";
import { izoVersion } from "../version.ts";
import { jsonOption } from "./json-option.ts";

/** `izo version`: what two machines must agree on. */
export function versionCommand(cli: Cli) {
  return new Command("version")
    .description("print the versions of the program, the protocol and the log format")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  izo version --json")
    .action((options) => {
      const izo = izoVersion();
      const versions = {
        izo,
        protocol: PROTOCOL_VERSION,
        kml: KML_VERSION,
        node: process.versions.node,
      };
      const fields = Object.entries(versions).map(
        ([name, value]) => [name, String(value)] as const,
      );
      outputOf(cli, options).result(versions, formatFields(fields));
    });
}
