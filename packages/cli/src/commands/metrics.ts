import { Command } from "@commander-js/extra-typings";

import type { Cli } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { isUrl } from "../parse-address.ts";
import { openRemote, withConnectionOptions } from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";

/** `izo metrics`: the figures of a mount or a server, for whatever collects them. */
export function metricsCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("metrics")
      .description("print the metrics of a mount or a server, in the text format of Prometheus")
      .argument("<what>", "a mount point, or http://HOST:PORT/FILESET"),
  )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A server gives the same at /metrics; a mount too, with izo mount --metrics 127.0.0.1:PORT. Each name is
explained beside its value. With --json, one object: {"text": …}.

Examples:
  izo metrics /mnt/project
  izo metrics /mnt/project > /var/lib/prometheus/node-exporter/izo.prom`,
    )
    .action(async (what, options) => {
      const text = await readMetrics(what, options, cli);
      cli.stdout.write(options.json === true ? `${JSON.stringify({ text })}\n` : text);
    });
}

async function readMetrics(
  what: string,
  options: Parameters<typeof openRemote>[1],
  cli: Cli,
): Promise<string> {
  if (!isUrl(what)) return await findMount(what).control.metrics();
  await using remote = openRemote(what, options, cli);
  return await remote.metrics(cli.signal);
}
