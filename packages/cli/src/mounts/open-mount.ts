import { connectControl, type MountControl } from "@izo/client";
import { IzoError } from "@izo/core";

import { findMountNote, type MountNote, mountPointOf } from "./mount-registry.ts";
import { findInMountTable } from "./mount-table.ts";

/** Nothing of ours is mounted there. */
export class NotMountedError extends IzoError {
  constructor(mountPoint: string, found: string) {
    super("not-mounted", `Cannot find a mount at ${JSON.stringify(mountPoint)}: ${found}`, {
      mountPoint,
    });
  }
}

/** A mount that was made on this machine, and how to talk to it. */
export interface KnownMount {
  readonly mountPoint: string;
  readonly note: MountNote;
  readonly control: MountControl;
}

/** The mount at a path, dead or alive. @throws NotMountedError */
export function findMount(path: string): KnownMount {
  const mountPoint = mountPointOf(path);
  const note = findMountNote(mountPoint);
  if (note === undefined) throw new NotMountedError(mountPoint, describeOther(mountPoint));
  return { mountPoint, note, control: connectControl(note.cacheDir) };
}

function describeOther(mountPoint: string): string {
  const entry = findInMountTable(mountPoint);
  return entry === undefined
    ? "nothing is mounted there"
    : `what is mounted there is ${entry.type}`;
}
