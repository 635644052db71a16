/**
 * Which inodes of a file system the programs of this machine watch: `/proc/PID/fdinfo/FD` of each inotify and
 * fanotify descriptor has a line for each watch (proc(5)). Of processes of other users only root is told.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

import { majorOf, minorOf } from "@izo/sys";

const LINK = /^anon_inode:(?:inotify|\[fanotify\])$/;

/** `inotify wd:1 ino:2a sdev:53 mask:…`, `fanotify ino:2a sdev:53 mflags:…`: numbers in hexadecimal. */
const WATCH = /^(?:inotify|fanotify) .*?\bino:([0-9a-f]+) sdev:([0-9a-f]+) /gm;

/** Of one major number: MINORBITS of linux/kdev_t.h. */
const MINORS = 1 << 20;

/** The inode numbers that are watched on the file system with that `st_dev`. */
export function watchedInodes(device: number, proc = "/proc"): Set<bigint> {
  // As the kernel itself has it, which is not the st_dev of stat(2).
  const wanted = (majorOf(device) * MINORS + minorOf(device)).toString(16);
  const inodes = new Set<bigint>();
  for (const process of listed(proc)) {
    if (!/^\d+$/.test(process)) continue;
    for (const fd of listed(`${proc}/${process}/fd`)) {
      if (!isWatching(`${proc}/${process}/fd/${fd}`)) continue;
      const info = textOf(`${proc}/${process}/fdinfo/${fd}`);
      for (const [, inode, found] of info.matchAll(WATCH)) {
        if (found === wanted) inodes.add(BigInt(`0x${inode}`));
      }
    }
  }
  return inodes;
}

// Processes end while they are looked at, and those of others are not for everybody to see.

function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isWatching(link: string): boolean {
  try {
    return LINK.test(readlinkSync(link));
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
