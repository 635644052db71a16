import { Argument, Command, Option } from "@commander-js/extra-typings";
import { type MountPermit, type MountStatus } from "@izo/client";
import { IzoError, type PermitStatus } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { findMount, type KnownMount } from "../mounts/open-mount.ts";
import { formatTable } from "../output/table.ts";
import { isUrl } from "../parse-address.ts";
import { UsageError } from "../usage-error.ts";
import { TimedOutError, withTimeout } from "../with-timeout.ts";
import { openRemote, withConnectionOptions } from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";
import { parseSeconds } from "./parse-number.ts";

const ACTIONS = ["status", "take", "release"] as const;

/** `izo permit`: takes and gives up the right to write, and shows who has it. */
export function permitCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("permit")
      .description("take or release the permit to write, or show who holds it")
      .argument("<what>", "a mount point, or http://HOST:PORT/FILESET")
      .addArgument(
        new Argument("[action]", "what to do on a mount")
          .choices(ACTIONS)
          .default("status" as const),
      )
      .argument("[path]", "a directory in the mount, /a/b; with all that is below it", "/")
      .addOption(
        new Option("--timeout <seconds>", "give up taking or releasing after this time").argParser(
          parseSeconds,
        ),
      ),
  )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
  take     asks for the permit, of whoever holds it too: his mount finishes open files, sends what was
           done, and hands it back; when he cannot be reached, his lease ends. Returns when it is held
  release  hands it back when all that was done under it is on the server
  status   shows what this mount wants or holds, and how long it may go on without its server

A mount that requires a permit (izo mount --permit required) is read-only without it. Mounts that require
none write as always. A permit is renewed by itself and handed back by izo umount.

Exit status: 4 somebody else holds it (with --timeout), 6 time is over.

Examples:
  izo permit /mnt/project take
  izo permit /mnt/project take /docs --timeout 30
  izo permit /mnt/project release
  izo permit http://nas:8370/rootfset              who holds what`,
    )
    .action(async (what, action, path, options) => {
      const output = outputOf(cli, options);
      if (isUrl(what)) {
        if (action !== "status") throw new UsageError(`a permit is for a mount to ${action}`);
        await using remote = openRemote(what, options, cli);
        const permits = await remote.permits(cli.signal);
        output.result({ permits }, describeHolders(permits));
        return;
      }
      const mount = findMount(what);
      if (action === "take") await take(mount, path, options.timeout, cli.signal);
      if (action === "release") {
        await withTimeout("release the permit", options.timeout, cli.signal, (signal) =>
          mount.control.releasePermit(path, signal),
        );
      }
      const { permit } = await mount.control.status();
      output.result({ mountPoint: mount.mountPoint, ...permit }, describePermits(permit));
    });
}

/** @throws IzoError `permit-held` where the time is over and the holder is known */
async function take(
  { control }: KnownMount,
  path: string,
  timeoutSeconds: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await withTimeout("take the permit", timeoutSeconds, signal, (either) =>
      control.takePermit(path, either),
    );
  } catch (error) {
    if (!(error instanceof TimedOutError)) throw error;
    const { permit } = await control.status();
    const problem = permit.permits.find((one) => one.path === path)?.problem;
    throw problem?.code === "permit-held" ? new IzoError(problem.code, problem.message) : error;
  }
}

function describeHolders(permits: readonly PermitStatus[]): string {
  if (permits.length === 0) return "no permit is held";
  const columns = [
    { title: "directory" },
    { title: "host" },
    { title: "peer" },
    { title: "lease", align: "right" },
    { title: "wanted by" },
  ] as const;
  const rows = permits.map(({ path, host, peer, leaseMs, wantedBy }) => [
    path,
    host,
    peer.slice(0, 8),
    leaseMs === 0 ? "over" : `${Math.round(leaseMs / 1000)} s`,
    wantedBy ?? "",
  ]);
  return formatTable(columns, rows);
}

/** What `izo permit MNT` and `izo status MNT` say of a mount's permits. */
export function describePermits({ mode, permits }: MountStatus["permit"]): string {
  const lines = permits.map(describePermit);
  if (mode === "none") return ["not required", ...lines].join(", ");
  return lines.length === 0 ? `${mode}: read-only, none is held` : `${mode}: ${lines.join(", ")}`;
}

function describePermit({ path, state, leftMs, problem }: MountPermit): string {
  const left = state === "held" ? ` for ${Math.round(leftMs / 1000)} s` : "";
  const reason = problem === null ? "" : ` (${problem.message})`;
  return `${path} ${state}${left}${reason}`;
}
