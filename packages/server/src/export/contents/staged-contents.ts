import { closeSync, constants } from "node:fs";

import { fstatat, openat, readDirectory, type Stat } from "@izo/sys";

/** Uploads that nobody has gone on with or asked for in this time were given up by their author. */
const ABANDONED_MS = 7 * 24 * 3_600_000;

/** A content that came from a client: whole and under its hash, or a part that its sender can go on with. */
export interface StagedContent {
  readonly name: Buffer;
  readonly stat: Stat;
}

/** Those in the directory of staged contents whose names are wanted: others may come and go meanwhile. */
export function stagedContents(
  contentsFd: number,
  isWanted: (name: string) => boolean = () => true,
): StagedContent[] {
  const fd = openat(contentsFd, ".", constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return readDirectory(fd)
      .filter(({ name }) => isWanted(name.toString()))
      .map(({ name }) => ({ name, stat: fstatat(contentsFd, name, { noFollow: true }) }));
  } finally {
    closeSync(fd);
  }
}

/** By the time of its last change. */
export function isAbandoned({ stat }: StagedContent, nowNs: bigint): boolean {
  return Number((nowNs - stat.ctimeNs) / 1_000_000n) > ABANDONED_MS;
}
