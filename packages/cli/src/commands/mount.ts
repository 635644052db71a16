import { join, resolve } from "node:path";

import { Command, Option } from "@commander-js/extra-typings";
import {
  type CredentialFiles,
  type DriverChoice,
  DRIVER_CHOICES,
  type Mount,
  mountFileset,
  OFFLINE_POLICIES,
  type OfflinePolicy,
  parseFilesetUrl,
  PERMIT_MODES,
  type PermitMode,
  QUICK_WAKE_CHOICES,
  WARM_UP_CHOICES,
  type QuickWakeChoice,
  type WarmUpChoice,
} from "@izo/client";
import { IgnoreRules } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { defaultCacheDir } from "../mounts/default-cache.ts";
import { checkCachePlace } from "../mounts/keep-apart.ts";
import { forgetMount, mountPointOf, noteMount } from "../mounts/mount-registry.ts";
import { raisePriority } from "../mounts/raise-priority.ts";
import { parseMetricsAddress, serveMetrics } from "../mounts/serve-metrics.ts";
import { reportStart, startDetached } from "../mounts/start-detached.ts";
import { findServiceManager } from "../service/service-manager.ts";
import { untilAborted } from "../until-aborted.ts";
import { credentialsOf, tokenOf, withConnectionOptions } from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";
import { CACHE_MODES, LOG_LEVELS } from "./option-choices.ts";
import { parseSizeOrNone } from "./parse-size.ts";

/** What a mount is made of, all defaults filled in. */
interface MountPlan {
  readonly url: string;
  readonly mountPoint: string;
  readonly cacheDir: string;
  readonly mode: (typeof CACHE_MODES)[number];
  readonly driver: DriverChoice;
  readonly quickWake: QuickWakeChoice;
  readonly warmUp: WarmUpChoice;
  readonly permitMode: PermitMode;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Undefined where the cache's own setting stays. */
  readonly offlinePolicy: OfflinePolicy | undefined;
  /** In bytes, null for none; undefined where the cache's own setting stays. */
  readonly cacheQuota: number | null | undefined;
  /** Likewise. */
  readonly streamFrom: number | null | undefined;
  /** Patterns of what stays on this machine; likewise. */
  readonly ignore: readonly string[] | undefined;
  readonly credentials: CredentialFiles;
  readonly isReadOnly: boolean;
  /** Undefined where the driver decides: see `FuseDeviceOptions`. */
  readonly isForAll: true | undefined;
  /** Where metrics are served; undefined for nowhere. */
  readonly metrics: string | undefined;
}

/** `izo mount`: returns when the mount serves; a process in the background goes on. */
export function mountCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("mount")
      .description("mount a fileset; returns when the mount serves")
      .argument("<url>", "https://HOST:PORT/FILESET")
      .argument("<mnt>", "an existing, empty directory"),
  )
    .addOption(
      new Option("--cache <dir>", "where contents and changes not yet acknowledged are kept")
        .env("IZO_CACHE")
        .default(undefined, "~/.cache/izo/HOST_PORT_FILESET"),
    )
    .addOption(
      new Option("--mode <mode>", "fetch contents at first open, or all at once")
        .choices(CACHE_MODES)
        .env("IZO_MODE")
        .default("on-demand" as const),
    )
    .addOption(
      new Option(
        "--permit <mode>",
        "whether to write only under a permit, or take it over when free",
      )
        .choices(PERMIT_MODES)
        .env("IZO_PERMIT")
        .default("none" as const),
    )
    .addOption(
      new Option(
        "--offline-policy <policy>",
        "absent content without a server: fail at once, or wait (default: as it was last; at first, fail)",
      )
        .choices(OFFLINE_POLICIES)
        .env("IZO_OFFLINE_POLICY"),
    )
    .addOption(
      new Option(
        "--cache-quota <size>",
        "how much content the cache keeps, like 10GiB, or none (default: as it was last; at first, none)",
      )
        .env("IZO_CACHE_QUOTA")
        .argParser(parseSizeOrNone),
    )
    .addOption(
      new Option(
        "--stream-from <size>",
        "files from this size on are read while they are fetched; none: an open waits for all of it (default: as it was last; at first, 4MiB)",
      )
        .env("IZO_STREAM_FROM")
        .argParser(parseSizeOrNone),
    )
    .addOption(
      new Option(
        "--ignore <pattern...>",
        "what of what is made on the mount stays on this machine, as .gitignore has patterns (default: as the last time)",
      ),
    )
    .option("--no-ignore", "keep nothing to this machine any more")
    .addOption(
      new Option(
        "--driver <driver>",
        "what speaks to the kernel: the kernel's own protocol, or libfuse",
      )
        .choices(DRIVER_CHOICES)
        .env("IZO_DRIVER")
        .default("auto" as const, "auto: kernel where this machine permits it"),
    )
    .addOption(
      new Option("--quick-wake <when>", "keep cores from deep sleep while programs ask often")
        .choices(QUICK_WAKE_CHOICES)
        .env("IZO_QUICK_WAKE")
        .default("auto" as const, "auto: where root mounts and it costs little"),
    )
    .addOption(
      new Option("--warm-up <when>", "run the mount's code before programs need it")
        .choices(WARM_UP_CHOICES)
        .env("IZO_WARM_UP")
        .default("idle" as const, "idle: after the start, while nobody asks"),
    )
    .addOption(
      new Option("--log-level <level>", "what goes to mount.log in the cache directory")
        .choices(LOG_LEVELS)
        .env("IZO_LOG_LEVEL")
        .default("info" as const),
    )
    .addOption(
      new Option(
        "--metrics <host:port>",
        "serve metrics for Prometheus there, on this machine only (default: not at all)",
      ).env("IZO_METRICS"),
    )
    .option("--read-only", "refuse every change on the mount (EROFS)")
    .option(
      "--allow-other",
      "let other users use a mount that is not root's; those of root always do",
    )
    .option("--foreground", "serve from this process until Ctrl-C, and log to standard error")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The cache outlives the mount: mounting again with the same cache is quick, works without the server,
and sends what the server has not acknowledged. A mount whose process died is cleared away first.
Settings that were changed while it ran (izo offline, izo offline-policy) are those of the next mount.

A user who is not root mounts through fusermount3 (Debian: fuse3). All files then show as that user's,
whoever owns them on the server, where they keep their owners; chown(2) fails.

What is read while it is fetched is read before the hash of the whole file is known. Should it be wrong in
the end, reads of that open fail from then on (EIO), the log says so, and the file is fetched anew. Where
no byte may be seen before all of them are checked: --stream-from none.

What --ignore means stays on this machine: it is in the mount for programs, at the speed of the disk, and
in no record, and never leaves the cache. It is about what is made here: what is in the fileset already, and
what others make, is followed whatever it is called. A mount that says nothing of it goes by the patterns of
the last one; what none means any more goes to the server then. Patterns count from the root of the mount
where they have a slash before their end, else at any depth; a slash at the end asks for a directory. A
directory is not renamed across (EXDEV, and mv copies it), and one in which something is ignored is not
empty. Where others remove it, izo status says where on disk what is ignored in it is kept.

While programs ask often, idle cores are kept from deep sleep (--quick-wake): each request wakes the mount, and
its answer the program. With auto real machines keep to their lightest halt; in a virtual machine of at most
eight cores these wait awake, for half a minute at once, and for a quarter of the time where programs never
pause. With on they wait awake everywhere, as long as programs ask. It takes root; izo status says what is done.

When programs have paused for a moment after the start, the mount has its code run on a cache of its own for
half a second to a second (--warm-up): what runs often is compiled then, and until it is requests take twice
as long. It waits for programs, and they do not wait for it. --warm-up off where many mounts come and go.

With --permit required the mount is read-only (EROFS) but where it holds a permit: izo permit MNT take.
With take-over it takes that of the whole fileset by itself, whenever nobody has it or the lease of its
holder is over.

The token is read from the file of --token-file, at each request, so another one counts at once; else it
is that of IZO_TOKEN. The names of these files are kept in the cache: the next mount needs no options.

Examples:
  izo mount https://nas:8370/rootfset /mnt/project --token-file /etc/izo/token --ca /etc/izo/ca.pem
  izo mount http://nas:8370/rootfset /mnt/project --mode replica --cache /var/cache/project
  izo mount http://nas:8370/rootfset /mnt/project --ignore node_modules/ target/ '*.o' '*~'`,
    )
    .action(async (url, mnt, options) => {
      // Refused here already, where the user still looks.
      parseFilesetUrl(url);
      const ignore = options.ignore === false ? [] : options.ignore;
      const plan: MountPlan = {
        url,
        mountPoint: mountPointOf(mnt),
        cacheDir: resolve(options.cache ?? defaultCacheDir(url, cli.env)),
        mode: options.mode,
        driver: options.driver,
        quickWake: options.quickWake,
        warmUp: options.warmUp,
        permitMode: options.permit,
        logLevel: options.logLevel,
        offlinePolicy: options.offlinePolicy,
        cacheQuota: options.cacheQuota,
        streamFrom: options.streamFrom,
        ignore: typeof ignore === "object" ? new IgnoreRules(ignore).patterns : undefined,
        credentials: credentialsOf(options, cli),
        isReadOnly: options.readOnly === true,
        isForAll: options.allowOther,
        metrics: options.metrics,
      };
      if (plan.metrics !== undefined) parseMetricsAddress(plan.metrics);
      await checkCachePlace(plan.cacheDir, plan.mountPoint);
      if (options.foreground === true) await serveMount(plan, cli);
      else await mountInBackground(plan, cli, options);
    });
}

async function mountInBackground(
  plan: MountPlan,
  cli: Cli,
  options: { json?: true },
): Promise<void> {
  const { url, mountPoint, cacheDir, mode, logLevel } = plan;
  const logFile = join(cacheDir, "mount.log");
  const args = [
    "mount",
    url,
    mountPoint,
    "--cache",
    cacheDir,
    "--mode",
    mode,
    "--permit",
    plan.permitMode,
    "--log-level",
    logLevel,
    "--driver",
    plan.driver,
    "--quick-wake",
    plan.quickWake,
    "--warm-up",
    plan.warmUp,
    ...credentialArguments(plan.credentials),
    ...(plan.isReadOnly ? ["--read-only"] : []),
    ...(plan.isForAll === true ? ["--allow-other"] : []),
    ...(plan.metrics === undefined ? [] : ["--metrics", plan.metrics]),
    ...(plan.offlinePolicy === undefined ? [] : ["--offline-policy", plan.offlinePolicy]),
    ...sizeArgument("--cache-quota", plan.cacheQuota),
    ...sizeArgument("--stream-from", plan.streamFrom),
    ...ignoreArguments(plan.ignore),
  ];
  const started = { args: [...args, "--foreground"], logFile, signal: cli.signal };
  const { pid, contact } = await startDetached(started);
  outputOf(cli, options).result(
    { mountPoint, url, cacheDir, mode, pid, contact },
    `${mountPoint}: ${url} (${mode}, process ${pid}, log ${logFile})${NOTES[contact]}`,
  );
}

function sizeArgument(option: string, size: number | null | undefined): string[] {
  if (size === undefined) return [];
  return [option, size === null ? "none" : `${size}B`];
}

function ignoreArguments(patterns: readonly string[] | undefined): string[] {
  if (patterns?.length === 0) return ["--no-ignore"];
  return (patterns ?? []).map((pattern) => `--ignore=${pattern}`);
}

/** The same files for the process in the background. */
function credentialArguments(files: CredentialFiles): string[] {
  const { tokenFile, caFile, certFile, keyFile, isInsecure } = files;
  return [
    ...(tokenFile === undefined ? [] : ["--token-file", tokenFile]),
    ...(caFile === undefined ? [] : ["--ca", caFile]),
    ...(certFile === undefined ? [] : ["--client-cert", certFile]),
    ...(keyFile === undefined ? [] : ["--client-key", keyFile]),
    ...(isInsecure === true ? ["--insecure"] : []),
  ];
}

/** What a user should know at once of a mount that works from its cache alone. */
const NOTES: Readonly<Record<Mount["contact"], string>> = {
  online: "",
  offline:
    "\noffline: the server does not answer; the mount works from its cache, and goes on trying",
  "forced-offline": "\noffline: kept so by its user; izo online MNT ends that",
};

async function serveMount(plan: MountPlan, cli: Cli): Promise<void> {
  const { url, mountPoint, cacheDir, mode, driver, quickWake, warmUp, logLevel } = plan;
  const { createLogger } = await import("../create-logger.ts");
  const logger = await createLogger(logLevel, cli);
  raisePriority();
  using manager = findServiceManager(cli.env);
  try {
    const { offlinePolicy, cacheQuota, streamFrom, ignore, permitMode, credentials } = plan;
    const { isReadOnly, isForAll } = plan;
    const settings = {
      credentials,
      ...(offlinePolicy !== undefined && { offlinePolicy }),
      ...(cacheQuota !== undefined && { cacheQuotaBytes: cacheQuota }),
      ...(streamFrom !== undefined && { streamFromBytes: streamFrom }),
      ...(ignore !== undefined && { ignore }),
    };
    const access = { isReadOnly, isForAll };
    const kernel = { driver, quickWake, warmUp, ...access };
    const wanted = { url, mountPoint, cacheDir, mode, permitMode, ...kernel, settings };
    await using mount = await mountFileset({ ...wanted, ...tokenOf(cli), logger });
    await using metrics =
      plan.metrics === undefined ? undefined : await serveMetrics(plan.metrics, mount);
    if (metrics !== undefined) logger.info({ url: metrics.url }, "metrics");
    noteMount({ mountPoint, cacheDir, url, pid: process.pid });
    reportStart({ isServing: true, contact: mount.contact });
    manager.ready(`${url} on ${mountPoint}, ${mount.contact}`);
    logger.info({ mountPoint, url, mode, contact: mount.contact }, "mounted");
    await Promise.race([mount.closed, untilAborted(cli.signal)]);
    manager.stopping();
  } catch (error) {
    reportStart({ isServing: false, ...failureOf(error) });
    throw error;
  }
  forgetMount(mountPoint);
  logger.info({ mountPoint }, "unmounted");
}

function failureOf(error: unknown): { code: string; message: string } {
  const code = error instanceof Error && "code" in error ? String(error.code) : "mount-failed";
  return { code, message: error instanceof Error ? error.message : String(error) };
}
