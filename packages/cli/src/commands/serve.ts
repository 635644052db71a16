import { Command, Option } from "@commander-js/extra-typings";
import { HELD_REMOVAL_PERCENT, parsePolicyRule } from "@izo/core";
import type { ServeOptions } from "@izo/server";

import { type Cli, outputOf } from "../cli.ts";
import { checkExportPlace } from "../mounts/keep-apart.ts";
import { formatBytes, formatCount } from "../output/quantity.ts";
import { parseListen } from "../parse-address.ts";
import { collectSooner } from "../service/collect-sooner.ts";
import { findServiceManager } from "../service/service-manager.ts";
import { untilAborted } from "../until-aborted.ts";
import { UsageError } from "../usage-error.ts";
import { jsonOption } from "./json-option.ts";
import { LOG_LEVELS } from "./option-choices.ts";
import { parseAge } from "./parse-age.ts";
import { parseCount, parsePercent, parsePermitTerm } from "./parse-number.ts";
import { parseSize } from "./parse-size.ts";
import { retentionOf } from "./retention-settings.ts";

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
      new Option(
        "--hold-removals <percent>",
        "what a mount removes has to be confirmed when it is more of the names; 100 for never",
      )
        .env("IZO_HOLD_REMOVALS")
        .argParser(parsePercent)
        .default(HELD_REMOVAL_PERCENT),
    )
    .addOption(
      new Option(
        "--ignore <pattern...>",
        "what of DIR stays out of the fileset, as .gitignore has patterns (default: as the last time)",
      ),
    )
    .option("--no-ignore", "leave nothing out any more")
    .addOption(
      new Option("--log-min-age <age>", "keep records at least so long (default: 7d)").argParser(
        parseAge,
      ),
    )
    .addOption(
      new Option(
        "--log-min-size <size>",
        "keep at least so much of the log (default: 16MiB)",
      ).argParser(parseSize),
    )
    .addOption(
      new Option(
        "--log-peer-age <age>",
        "keep what a peer lacks until it was not seen for so long (default: 30d)",
      ).argParser(parseAge),
    )
    .addOption(
      new Option(
        "--log-max-size <size>",
        "keep no more of the log, whoever lacks it (default: 1GiB)",
      ).argParser(parseSize),
    )
    .addOption(
      new Option(
        "--old-min-age <age>",
        "keep old contents at least so long (default: 24h)",
      ).argParser(parseAge),
    )
    .addOption(
      new Option("--old-max-age <age>", "keep old contents no longer (default: 30d)").argParser(
        parseAge,
      ),
    )
    .addOption(
      new Option("--old-max-size <size>", "keep no more of them (default: 10GiB)").argParser(
        parseSize,
      ),
    )
    .addOption(
      new Option("--old-max-count <n>", "keep no more of them (default: 100000)").argParser(
        parseCount,
      ),
    )
    .addOption(
      new Option("--tls-cert <file>", "speak TLS with this certificate (PEM)").env("IZO_TLS_CERT"),
    )
    .addOption(new Option("--tls-key <file>", "its key (PEM)").env("IZO_TLS_KEY"))
    .addOption(
      new Option(
        "--client-ca <file>",
        "take only clients with a certificate that one of these has signed (PEM)",
      ).env("IZO_CLIENT_CA"),
    )
    .addOption(
      new Option("--max-connections <n>", "connections at a time (default: 8192)").argParser(
        parseCount,
      ),
    )
    .addOption(
      new Option(
        "--max-requests <n>",
        "requests of one holder of tokens, or one address, at a time (default: 2048)",
      ).argParser(parseCount),
    )
    .addOption(
      new Option(
        "--max-buffered <size>",
        "bytes of pushes and polls in memory at a time (default: 256MiB)",
      ).argParser(parseSize),
    )
    .option("--read-only", "refuse all changes of clients")
    .option("--insecure", "serve other machines without TLS or tokens")
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

On this machine alone, anybody may read and write until the first token is made: izo token create DIR.
Beyond it the server listens only with TLS and tokens, or when told --insecure: then whoever reaches the
port can read what is sent, or change everything. Behind a proxy that does TLS, listen on 127.0.0.1, with
tokens: without them only who asks for an address or for localhost is answered, so that no page in a browser
of this machine comes by way of a name of its own.
A renewed certificate is taken when its files change, or at SIGHUP; the server goes on.

Conflict policies: both keeps the later change as a copy beside the file, aside keeps it in
.izo-conflicts, ours keeps the first only, theirs the later only; what is not kept stays in history for
its time. The first pattern that matches counts.

What --ignore leaves out is never logged, listed or served, and no client changes or removes it. It is
about what is new: what is in the fileset already stays in it. A start that says nothing of it goes by the
patterns of the last one. They count from the root of DIR where
they have a slash before their end, else at any depth; a slash at the end asks for a directory.

A mount that removes nearly everything that others have made holds that back until somebody says izo held
confirm, or drop; --hold-removals says what nearly everything is.

The log is cut off at its front by itself, and old contents (what was replaced or removed) go by age,
size and count; izo status shows how much there is.

Examples:
  izo serve /srv/project
  izo serve /srv/project --fileset project --read-only
  izo serve /srv/project --listen 0.0.0.0:8370 --tls-cert /etc/izo/cert.pem --tls-key /etc/izo/key.pem
  izo serve /srv/project --ignore node_modules/ '*.tmp' /config/secrets.env
  izo serve /srv/project --conflict-policy '*.lock=theirs' '/generated=ours'`,
    )
    .action(async (dir, options) => {
      // Loaded here, because no other command needs them.
      const { serve } = await import("@izo/server");
      const { createLogger } = await import("../create-logger.ts");
      const output = outputOf(cli, options);
      const { host, port } = parseListen(options.listen);
      const { ignore } = ignoreOf(options.ignore);
      await checkExportPlace(dir, options.fileset, ignore);
      using manager = findServiceManager(cli.env);
      const bar = output.progress("Scanning");
      collectSooner();
      await using server = await serve({
        directory: dir,
        filesetName: options.fileset,
        permitTermMs: options.permitTerm * 1000,
        host,
        port,
        ...tlsOf(options),
        limits: {
          ...(options.maxConnections !== undefined && { maxConnections: options.maxConnections }),
          ...(options.maxRequests !== undefined && { maxRequests: options.maxRequests }),
          ...(options.maxBuffered !== undefined && { maxBufferedBytes: options.maxBuffered }),
        },
        isInsecure: options.insecure === true,
        isReadOnly: options.readOnly === true,
        conflictPolicies: options.conflictPolicy.map(parsePolicyRule),
        heldRemovalPercent: options.holdRemovals,
        ...(ignore !== undefined && { ignore }),
        ...retentionOf(options),
        logger: await createLogger(options.logLevel, cli),
        signal: cli.signal,
        onProgress: ({ files, bytes }) => {
          const detail = formatBytes(bytes);
          bar.update({ done: files, total: undefined, unit: "files", detail });
          manager.status(`Scanning ${dir}: ${formatCount(files)} files, ${detail}`);
        },
      }).finally(() => bar[Symbol.dispose]());
      const { url } = server;
      using _ = onHangUp(() => server.reload());
      const { ignored } = server.fileset;
      const without = ignored.length === 0 ? "" : `, without ${ignored.join(" ")}`;
      output.result({ url, ignored }, `Serving ${dir} at ${url}${without}`);
      manager.ready(`Serving ${dir} at ${url}`);
      await untilAborted(cli.signal);
      manager.stopping();
    });
}

/** What is not said stays as it was. */
function ignoreOf(ignore: readonly string[] | boolean | undefined): Pick<ServeOptions, "ignore"> {
  if (ignore === false) return { ignore: [] };
  return typeof ignore === "object" ? { ignore } : {};
}

function tlsOf({ tlsCert, tlsKey, clientCa }: TlsOptions): Pick<ServeOptions, "tls"> {
  if (tlsCert === undefined && tlsKey === undefined && clientCa === undefined) return {};
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { tls: { certFile: tlsCert, keyFile: tlsKey, clientCaFile: clientCa } };
  }
  throw new UsageError(
    "Cannot speak TLS: a certificate and its key are needed",
    "give both --tls-cert and --tls-key",
  );
}

interface TlsOptions {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly clientCa?: string | undefined;
}

/** How administrators tell a service that its files have changed; without it SIGHUP would end the process. */
function onHangUp(listener: () => void): Disposable {
  process.on("SIGHUP", listener);
  return { [Symbol.dispose]: () => void process.off("SIGHUP", listener) };
}
