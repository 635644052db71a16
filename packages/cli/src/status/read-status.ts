import type { MountStatus } from "@izo/client";

import type { Cli } from "../cli.ts";
import { type ConnectionOptions, openRemote } from "../commands/connection-options.ts";
import { findMount } from "../mounts/open-mount.ts";
import { isUrl } from "../parse-address.ts";
import { answerOfFileset, answerOfMount } from "./answer.ts";
import { describeFileset } from "./describe-fileset.ts";
import { describeMount } from "./describe-mount.ts";

/** The status of a mount or a served fileset, for programs and for people. */
export interface ReadStatus {
  readonly value: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Of a mount. */
  readonly mount: MountStatus | null;
}

/** Asks once. @param what a mount point, or the URL of a fileset */
export async function readStatus(
  what: string,
  options: ConnectionOptions,
  cli: Cli,
): Promise<ReadStatus> {
  if (isUrl(what)) {
    await using remote = openRemote(what, options, cli);
    const status = await remote.status(cli.signal);
    const value = { answer: answerOfFileset(status), ...status };
    return { value, text: describeFileset(status), mount: null };
  }
  const { mountPoint, note, control } = findMount(what);
  const status = await control.status();
  const { url, cacheDir, pid } = note;
  const nowMs = Date.now();
  const answer = answerOfMount(status, nowMs);
  const value = { answer, ...status, mountPoint, url, cacheDir, pid };
  return { value, text: describeMount(status, note, nowMs), mount: status };
}
