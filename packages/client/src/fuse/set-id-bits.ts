import { constants } from "node:fs";

import { readCallerGroups } from "./caller-groups.ts";
import type { Caller } from "./file-system.ts";

/** Bits of modes that `node:fs` does not name; linux/stat.h. */

/** Runs as its owner. */
export const S_ISUID = 0o4000;

/** Runs as its group; on a directory, hands its group on. */
export const S_ISGID = 0o2000;

/** Whether a program of that mode runs with rights that are not its caller's. */
export function hasSetId(mode: number): boolean {
  return (mode & (S_ISUID | S_ISGID)) !== 0;
}

/** What of an inode's attributes says whose rights its program runs with. */
export interface ProgramRights {
  readonly mode: number;
  readonly gid: number;
}

/**
 * The mode of a file after somebody changed its content or owner, as chown(2) and write(2) leave it:
 * nothing runs with the rights of its owner any more. The bit of the group stays where the group may not
 * run it, as it then means something else, unless the caller is neither root nor of that group.
 */
export function withoutSetId({ mode, gid }: ProgramRights, caller: Caller): number {
  if (!hasSetId(mode)) return mode;
  const isGroupProgram = (mode & constants.S_IXGRP) !== 0;
  const dropsGroup = (mode & S_ISGID) !== 0 && (isGroupProgram || !isOfGroup(caller, gid));
  return mode & ~S_ISUID & ~(dropsGroup ? S_ISGID : 0);
}

/** Whether the caller is of a group, or may act as if. */
export function isOfGroup(caller: Caller, gid: number): boolean {
  return caller.uid === 0 || caller.gid === gid || readCallerGroups(caller.pid).includes(gid);
}
