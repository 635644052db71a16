import type { PushWait, WaitReason } from "@izo/client";

import { formatAge } from "../output/quantity.ts";

const REASONS: Readonly<Record<WaitReason, string>> = {
  "forced-offline": "the mount is kept offline (izo online MNT)",
  "no-connection": "there is no connection to the server",
  connected: "the server's log is replayed first",
  "push-failed": "it could not be sent",
  sent: "it is on the way to the server",
  held: "the removal of nearly everything waits for your decision (izo held MNT)",
  "not-permitted": "this mount may not change it",
  uploading: "its content is sent first",
  written: "a program has it open and writes to it",
  unhashed: "its content is being read for its hash",
};

/** Why a change is not on the server, in one line: what, since when, why, and when it is tried again. */
export function describeWait(wait: PushWait, nowMs: number): string {
  const { reason, opcode, path, sinceMs, message, retryAtMs } = wait;
  const since = formatAge(Math.max(0, nowMs - sinceMs));
  const said = message === null ? "" : ` (${message})`;
  const again =
    retryAtMs === null ? "" : `; tried again in ${formatAge(Math.max(0, retryAtMs - nowMs))}`;
  return `${opcode} of ${JSON.stringify(path)}, made ${since} ago: ${REASONS[reason]}${said}${again}`;
}
