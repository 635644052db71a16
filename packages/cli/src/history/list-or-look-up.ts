import type { ListedEntry, LogPlace } from "@izo/core";

import type { HistorySubject } from "./history-subject.ts";

/** The entries of a directory, or the one of what is no directory, as `ls` shows them. */
export async function listOrLookUp(
  { remote, path }: HistorySubject,
  at: LogPlace | undefined,
  signal: AbortSignal,
): Promise<readonly ListedEntry[]> {
  const object = await remote.history.lookUp(path, at, signal);
  if (object.kind === "directory") {
    const { entries } = await remote.history.listing(path, at, signal);
    return entries;
  }
  return [{ ...object, name: path.slice(path.lastIndexOf("/") + 1) }];
}
