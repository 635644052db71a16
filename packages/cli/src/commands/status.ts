import { Command } from "@commander-js/extra-typings";
import { type KeptTally, type MountStatus } from "@izo/client";
import type { FilesetStatus } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { findMount } from "../mounts/open-mount.ts";
import { formatBytes, formatCount } from "../output/quantity.ts";
import { formatFields, formatTable } from "../output/table.ts";
import { isUrl } from "../parse-address.ts";
import { openRemote, withConnectionOptions } from "./connection-options.ts";
import { jsonOption } from "./json-option.ts";
import { describePermits } from "./permit.ts";

/** `izo status`: how far a mount or a server is, and what it waits for. */
export function statusCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("status")
      .description("show how far a mount or a served fileset is")
      .argument("<what>", "a mount point, or http://HOST:PORT/FILESET"),
  )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Of a mount: state, isForcedOffline, offlinePolicy, waitingPrograms, kept (what is
pinned and hoarded, and how much of it is missing), cacheQuotaBytes, mode, recno (replayed), headRecno
(the server's), pending (changes that the server has not acknowledged), longWritten (files that a
program writes without a pause: they are sent every 30 s), conflicts, cachedBytes. Of a
fileset: headRecno, oldestRecno, files, bytes, logBytes, oldContents (replaced or removed, and kept), peers.

Examples:
  izo status /mnt/project
  izo status http://nas:8370/rootfset --json | jq .headRecno`,
    )
    .action(async (what, options) => {
      const output = outputOf(cli, options);
      if (isUrl(what)) {
        await using remote = openRemote(what, options, cli);
        const status = await remote.status(cli.signal);
        output.result(status, describeFileset(status));
        return;
      }
      const { mountPoint, note, control } = findMount(what);
      const status = await control.status();
      const whole = {
        ...status,
        mountPoint,
        url: note.url,
        cacheDir: note.cacheDir,
        pid: note.pid,
      };
      output.result(whole, describeMount(status, note.url, note.cacheDir));
    });
}

function describeMount(status: MountStatus, url: string, cacheDir: string): string {
  const behind = status.headRecno - status.recno;
  const { lastError } = status;
  return formatFields([
    ["state", status.isForcedOffline ? "offline (forced)" : status.state],
    ["server", url],
    ["mode", status.isReadOnly ? `${status.mode}, read-only` : status.mode],
    [
      "offline policy",
      status.waitingPrograms === 0
        ? status.offlinePolicy
        : `${status.offlinePolicy}, ${formatCount(status.waitingPrograms)} programs wait`,
    ],
    [
      "replayed",
      `${formatCount(status.recno)}${behind > 0 ? `, ${formatCount(behind)} behind` : ""}`,
    ],
    ["pending", status.pending === 0 ? "none" : formatCount(status.pending)],
    ...(status.heldRemoval === null
      ? []
      : [
          [
            "held",
            `the removal of ${formatCount(status.heldRemoval.removed)} of ${formatCount(status.heldRemoval.names)} names: see izo held`,
          ] as const,
        ]),
    ...status.longWritten.map(
      ({ path, sinceMs }) => ["written", describeLongWritten(path, sinceMs)] as const,
    ),
    ...(status.conflicts === 0
      ? []
      : [["conflicts", `${formatCount(status.conflicts)}: see izo conflicts`] as const]),
    ...(status.permit.mode === "none" && status.permit.permits.length === 0
      ? []
      : [["permit", describePermits(status.permit)] as const]),
    ["cached", `${formatBytes(status.cachedBytes)}${describeQuota(status)} in ${cacheDir}`],
    ...(status.kept === null
      ? []
      : [
          ["pinned", describeKept(status.kept.pinned)] as const,
          ["hoarded", describeKept(status.kept.hoarded)] as const,
        ]),
    ...(lastError === null
      ? []
      : [["error", lastError.message] as const, ["to do", lastError.advice] as const]),
  ]);
}

function describeQuota({ cacheQuotaBytes }: MountStatus): string {
  return cacheQuotaBytes === null ? "" : ` of ${formatBytes(cacheQuotaBytes)}`;
}

function describeKept({ files, bytes, missingFiles, missingBytes }: KeptTally): string {
  if (files === 0) return "nothing";
  const all = `${formatCount(files)} files, ${formatBytes(bytes)}`;
  return missingFiles === 0
    ? `${all}, all here`
    : `${all}; ${formatCount(missingFiles)} files, ${formatBytes(missingBytes)} are missing`;
}

/** Its content reaches the server at an interval only: docs/guarantees.md, promise 4. */
function describeLongWritten(path: string, sinceMs: number): string {
  return `${path}, without a pause since ${new Date(sinceMs).toISOString()}: sent every 30 s`;
}

function describeFileset(status: FilesetStatus): string {
  const { heldRemoval, problems } = status;
  const fields = formatFields([
    ["fileset", `${status.filesetName} (${status.filesetId})`],
    [
      "records",
      `${formatCount(status.headRecno)}, kept from ${formatCount(status.oldestRecno)} on (${formatBytes(status.logBytes)})`,
    ],
    ["files", `${formatCount(status.files)}, ${formatBytes(status.bytes)}`],
    [
      "old contents",
      `${formatCount(status.oldContents.count)}, ${formatBytes(status.oldContents.bytes)}`,
    ],
    ["watching", status.watching],
    ...(heldRemoval === null
      ? []
      : [
          [
            "held",
            `${formatCount(heldRemoval.removed)} of ${formatCount(heldRemoval.objects)} are gone: not taken for removals`,
          ] as const,
        ]),
    ...problems.map(({ path, message }) => ["problem", `${path}: ${message}`] as const),
  ]);
  if (status.peers.length === 0) return fields;
  const columns = [
    { title: "peer" },
    { title: "host" },
    { title: "received", align: "right" },
    { title: "last seen" },
  ] as const;
  const rows = status.peers.map(({ peer, host, receivedRecno, lastSeenMs }) => [
    peer.slice(0, 8),
    host,
    formatCount(receivedRecno),
    new Date(lastSeenMs).toISOString(),
  ]);
  return `${fields}\n\n${formatTable(columns, rows)}`;
}
