import { readFileSync } from "node:fs";

/** A mounted file system, as the kernel lists it. */
export interface MountTableEntry {
  readonly mountPoint: string;
  /** `fuse.izo` for ours. */
  readonly type: string;
  readonly source: string;
}

/**
 * What is mounted at `mountPoint` (an absolute path without symlinks), or undefined. The last line
 * counts: mounts at one place lie over each other. Touches nothing, so a mount that hangs does no harm.
 */
export function findInMountTable(
  mountPoint: string,
  table = readFileSync("/proc/self/mountinfo", "latin1"),
): MountTableEntry | undefined {
  return parseMountTable(table).findLast((entry) => entry.mountPoint === mountPoint);
}

/** The mount of ours that a place (an absolute path without symlinks) is in, whatever lies over it. */
export function findIzoMountAbove(
  place: string,
  table = readFileSync("/proc/self/mountinfo", "latin1"),
): MountTableEntry | undefined {
  return parseMountTable(table).findLast(
    ({ mountPoint, type }) => type === "fuse.izo" && isIn(place, mountPoint),
  );
}

/** Whether a place is a directory or below it, both as absolute paths without symlinks. */
export function isIn(place: string, directory: string): boolean {
  return place === directory || place.startsWith(`${directory}/`);
}

/**
 * Parses `/proc/self/mountinfo`, proc_pid_mountinfo(5): the mount point is the fifth field, type and
 * source follow a lone `-`. Space, tab, newline and backslash are written as octal numbers.
 */
export function parseMountTable(table: string): MountTableEntry[] {
  const entries: MountTableEntry[] = [];
  for (const line of table.split("\n")) {
    const fields = line.split(" ");
    const separator = fields.indexOf("-", 6);
    const mountPoint = fields[4];
    const type = fields[separator + 1];
    const source = fields[separator + 2];
    if (mountPoint === undefined || separator < 0 || type === undefined || source === undefined)
      continue;
    entries.push({ mountPoint: unescape(mountPoint), type, source: unescape(source) });
  }
  return entries;
}

function unescape(field: string): string {
  const bytes = field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
