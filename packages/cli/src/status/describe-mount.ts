import type { DriverFacts, KeptTally, MountStatus } from "@izo/client";

import { describePermits } from "../commands/permit.ts";
import { formatAge, formatBytes, formatCount } from "../output/quantity.ts";
import { formatFields } from "../output/table.ts";
import { answerOfMount } from "./answer.ts";
import { describeWait } from "./describe-wait.ts";
import { describeWakeUps } from "./describe-wake-ups.ts";

/** A mount for people: the answer first, then what it is made of. */
export function describeMount(
  status: MountStatus,
  { url, cacheDir }: { readonly url: string; readonly cacheDir: string },
  nowMs: number,
): string {
  const { lastError } = status;
  const fields = formatFields([
    ["state", status.isForcedOffline ? "offline (forced)" : status.state],
    ["server", url],
    ["mode", status.isReadOnly ? `${status.mode}, read-only` : status.mode],
    ...(status.changesBelow === "/" || status.isReadOnly
      ? []
      : [["may change", describeScope(status.changesBelow)] as const]),
    ["driver", describeDriver(status.driver)],
    ...(status.driver.wakeUps === null
      ? []
      : [["wake-ups", describeWakeUps(status.driver.wakeUps)] as const]),
    [
      "offline policy",
      status.waitingPrograms === 0
        ? status.offlinePolicy
        : `${status.offlinePolicy}, ${formatCount(status.waitingPrograms)} programs wait`,
    ],
    ["replayed", describeLag(status)],
    ["pending", describePending(status)],
    ...status.waitsFor.map((wait) => ["waits", describeWait(wait, nowMs)] as const),
    ...status.transfers.map(
      (transfer) =>
        [
          transfer.direction === "in" ? "fetching" : "sending",
          describeTransfer(transfer, nowMs),
        ] as const,
    ),
    ...(status.heldRemoval === null
      ? []
      : [
          [
            "held",
            `the removal of ${formatCount(status.heldRemoval.removed)} of ${formatCount(status.heldRemoval.names)} names, and what depends on it: izo held MNT, then confirm or drop`,
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
    ...describeIgnored(status.ignored),
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
  return `${answerOfMount(status, nowMs).sentence}\n\n${fields}`;
}

function describeScope(changesBelow: string | null): string {
  return changesBelow === null
    ? "nothing: the server takes no changes of this mount"
    : `only what is below ${changesBelow}, as its token says`;
}

function describeLag({ recno, headRecno, lagMs }: MountStatus): string {
  const behind = headRecno - recno;
  const time = lagMs === null || lagMs === 0 ? "" : `, last complete ${formatAge(lagMs)} ago`;
  return `${formatCount(recno)}${behind > 0 ? `, ${formatCount(behind)} behind` : ""}${time}`;
}

function describePending(status: MountStatus): string {
  const { pending, pendingBytes } = status;
  if (pending === 0) return "none";
  const bytes = pendingBytes === 0 ? "" : `, ${formatBytes(pendingBytes)}`;
  return `${formatCount(pending)}${bytes}${describeRoom(status)}`;
}

/** What programs notice of how much waits. */
function describeRoom({ pending, mostPending, throttleMs }: MountStatus): string {
  if (pending >= mostPending)
    return "; no room for more: changes fail with ENOSPC until fewer wait";
  return throttleMs > 0 ? "; programs are held up until fewer wait" : "";
}

function describeTransfer(
  { sha256, doneBytes, totalBytes, sinceMs }: MountStatus["transfers"][number],
  nowMs: number,
): string {
  const share = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
  const age = formatAge(nowMs - sinceMs);
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} (${share} %), for ${age}, ${sha256.slice(0, 12)}`;
}

function describeDriver({ name, protocol, hasPassthrough, reason }: DriverFacts): string {
  const version = protocol === null ? "" : ` (FUSE ${protocol})`;
  return `${name}${version}${hasPassthrough ? ", with passthrough" : ""}: ${reason}`;
}

function describeQuota({ cacheQuotaBytes }: MountStatus): string {
  return cacheQuotaBytes === null ? "" : ` of ${formatBytes(cacheQuotaBytes)}`;
}

/** What stays on this machine, and what of it nobody sees any more. */
function describeIgnored({
  patterns,
  entries,
  leftBehind,
}: MountStatus["ignored"]): (readonly [string, string])[] {
  if (patterns.length === 0 && entries === 0) return [];
  const count = `${formatCount(entries)} ${entries === 1 ? "entry" : "entries"} on this machine only`;
  return [
    ["ignored", [patterns.join(" "), count].filter((part) => part !== "").join(": ")],
    ...leftBehind.map(
      ({ path, keptAs }) =>
        ["left behind", `of ${path}, which was removed: what is ignored is in ${keptAs}`] as const,
    ),
  ];
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
