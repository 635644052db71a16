import { resolve } from "node:path";

import { Command, Option } from "@commander-js/extra-typings";
import { IzoError } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { checkDisk } from "../doctor/check-disk.ts";
import { checkExport } from "../doctor/check-export.ts";
import { checkMachine, thisMachine } from "../doctor/check-machine.ts";
import { checkMount } from "../doctor/check-mount.ts";
import { checkServer } from "../doctor/check-server.ts";
import { type Finding, type Verdict, verdictOf } from "../doctor/finding.ts";
import { writeBundle } from "../doctor/write-bundle.ts";
import { findMountNote, mountPointOf } from "../mounts/mount-registry.ts";
import { findMount } from "../mounts/open-mount.ts";
import { formatTable } from "../output/table.ts";
import { isUrl } from "../parse-address.ts";
import {
  type ConnectionOptions,
  openRemote,
  openRemoteOf,
  withConnectionOptions,
} from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

const SAID: Readonly<Record<Verdict, string>> = {
  ok: "All is well",
  warning: "It works; there is something to know",
  failure: "Something will not work",
};

const MARKS: Readonly<Record<Verdict, string>> = { ok: "ok", warning: "note", failure: "FAIL" };

/** Something will not work; what, was said. */
class NotWellError extends IzoError {
  constructor(findings: readonly Finding[]) {
    const failed = findings
      .filter(({ verdict }) => verdict === "failure")
      .map(({ check }) => check);
    super("not-well", `Cannot call this well: ${failed.join(", ")}`, { failed });
  }
}

/** `izo doctor`: what is wrong, and what to do about it. */
export function doctorCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("doctor")
      .description("check this machine, and a server, an export or a mount, and say what to do")
      .argument("[what]", "http://HOST:PORT/FILESET, an exported directory, or a mount point"),
  )
    .addOption(filesetOption())
    .addOption(
      new Option("--bundle <file>", "also write all that somebody needs who helps from afar"),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Checks versions, FUSE and passthrough, limits, room on disks, and as far as they were named: whether a
server answers and lets you in, how far its clock is from this one, how an export or a mount is. The exit
status is 1 where something will not work. The bundle has no tokens, keys or contents of files, but paths
and names of hosts; it is a file that only you can read.

Examples:
  izo doctor
  izo doctor https://nas:8370/rootfset --token-file /etc/izo/token
  izo doctor /mnt/project --bundle izo-report.json`,
    )
    .action(async (what, options) => {
      const output = outputOf(cli, options);
      const findings = [
        ...checkMachine(thisMachine(cli.env)),
        ...(await checkWhat(what, options, cli)),
      ];
      const verdict = verdictOf(findings);
      output.result({ verdict, findings }, describe(verdict, findings));
      if (options.bundle !== undefined) {
        await writeBundle(resolve(cli.cwd, options.bundle), findings, cli);
        output.say(`\nwritten to ${options.bundle}; look at it before you send it`);
      }
      if (verdict === "failure") throw new NotWellError(findings);
    });
}

async function checkWhat(
  what: string | undefined,
  options: ConnectionOptions & { readonly fileset: string },
  cli: Cli,
): Promise<Finding[]> {
  if (what === undefined) return [await checkDisk("disk", cli.cwd, "this directory")];
  if (isUrl(what)) {
    await using remote = openRemote(what, options, cli);
    return await checkServer(remote, cli.signal);
  }
  const note = findMountNote(mountPointOf(what));
  if (note === undefined) return checkExport(resolve(cli.cwd, what), options.fileset);
  await using remote = openRemoteOf(note);
  const [mount, server] = await Promise.all([
    checkMount(findMount(what)),
    checkServer(remote, cli.signal),
  ]);
  return [...mount, ...server];
}

function describe(verdict: Verdict, findings: readonly Finding[]): string {
  const rows = findings.flatMap(({ check, verdict: own, found, advice }) => [
    [MARKS[own], check, found],
    ...(advice === null ? [] : [["", "", `→ ${advice}`]]),
  ]);
  const columns = [{ title: "" }, { title: "check" }, { title: "found" }];
  return `${SAID[verdict]}\n\n${formatTable(columns, rows)}`;
}
