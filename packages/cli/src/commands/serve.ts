import { Command, Option } from "@commander-js/extra-typings";
import { parsePolicyRule } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { LOG_LEVELS } from "../config/config-schema.ts";
import { createLogger } from "../create-logger.ts";
import { formatBytes } from "../output/quantity.ts";
import { parseListen } from "../parse-address.ts";
import { untilAborted } from "../until-aborted.ts";
import { jsonOption } from "./json-option.ts";
import { parsePermitTerm } from "./parse-number.ts";

/** `izo serve`: exports a directory until Ctrl-C. */
export function serveCommand(cli: Cli) {
  return new Command("serve")
    .description("serve an existing directory, in place, until Ctrl-C")
    .argument("<dir>", "the directory")
    .addOption(
      new Option("--listen <host:port>", "where to accept requests; port 0 takes a free one")
        .env("IZO_LISTEN")
        .default("127.0.0.1:8370"),
    )
    .addOption(
      new Option("--fileset <name>", "its name in URLs").env("IZO_FILESET").default("rootfset"),
    )
    .addOption(
      new Option("--permit-term <seconds>", "how long a permit holds without being renewed")
        .env("IZO_PERMIT_TERM")
        .argParser(parsePermitTerm)
        .default(60),
    )
    .addOption(
      new Option(
        "--conflict-policy <pattern=policy...>",
        "what becomes of the later of two changes: both, aside, ours or theirs",
      ).default([], "both; aside within .git"),
    )
    .addOption(
      new Option("--log-level <level>", "what goes to standard error")
        .choices(LOG_LEVELS)
        .env("IZO_LOG_LEVEL")
        .default("warn" as const),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The first start reads every file once; later ones look only at what has changed. Log and index are kept
in DIR/.intermezzo. Programs on this machine go on using DIR as before: what they change is noticed.

There is no authentication yet: who reaches the port can read and write. Listen on other addresses than
this machine's own only in a network that you trust.

Conflict policies: both keeps the later change as a copy beside the file, aside keeps it in
.izo-conflicts, ours keeps the first only, theirs the later only; what is not kept stays in history for
its time. The first pattern that matches counts.

Examples:
  izo serve /srv/project
  izo serve /srv/project --listen 0.0.0.0:8370 --fileset project
  izo serve /srv/project --conflict-policy '*.lock=theirs' '/generated=ours'`,
    )
    .action(async (dir, options) => {
      // Loaded here, because no other command needs it.
      const { serve } = await import("@izo/server");
      const output = outputOf(cli, options);
      const { host, port } = parseListen(options.listen);
      const bar = output.progress("Scanning");
      await using server = await serve({
        directory: dir,
        filesetName: options.fileset,
        permitTermMs: options.permitTerm * 1000,
        host,
        port,
        conflictPolicies: options.conflictPolicy.map(parsePolicyRule),
        logger: createLogger(options.logLevel, cli),
        onProgress: ({ files, bytes }) =>
          bar.update({ done: files, total: undefined, unit: "files", detail: formatBytes(bytes) }),
      }).finally(() => bar[Symbol.dispose]());
      const { url } = server;
      output.result({ url }, `Serving ${dir} at ${url}`);
      await untilAborted(cli.signal);
    });
}
