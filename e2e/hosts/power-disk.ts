import { rmSync, truncateSync, writeFileSync, mkdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { runCommand, tryCommand } from "./run-command.ts";

const PATIENCE_MS = 10_000;
const POLL_MS = 50;

/**
 * An ext4 of its own in an image file, whose power can be cut.
 *
 * The cut is ext4's own shutdown without a flush of its journal: from that moment on the file system
 * hands nothing to the loop device any more, so the image holds what was written back or synced until
 * then, and what programs only wrote stays in the page cache and goes with it. A control file shows
 * that at each cut. The machine then starts from a copy of the image, and ext4 recovers its journal.
 */
export interface PowerDisk {
  /**
   * Nothing reaches the disk any more. These programs stop just before, as all do without power, and
   * are the caller's to end. One that ran on would be told what is not true: after the shutdown drops
   * the journal's transaction, an fsync(2) that waits for it may answer 0. On an ext4 with nothing else
   * on it 5 of 40 cuts lost what a program took for synced or left zeros, and none of 80 did so.
   */
  cut(...programs: readonly { readonly pid: number }[]): Promise<void>;
  /** Mounts a copy of the image at the same place; nobody may use the old one any more. */
  restart(): Promise<void>;
}

/** linux/fs/ext4/ext4.h: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH. Perl is on every Debian. */
const SHUTDOWN = `
open(my $directory, "<", $ARGV[0]) or die "open: $!";
my $flags = pack("L", 2);
ioctl($directory, 0x8004587d, $flags) or die "ioctl: $!";`;

function stop(pid: number): void {
  try {
    process.kill(pid, "SIGSTOP");
  } catch (error) {
    // It had nothing more to do.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The kernel takes a moment to let go what a dead mount had open, on a busy machine a longer one. */
async function unmountIdle(mountPoint: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked until nobody has anything open
    const { status, stderr } = await tryCommand(["umount", mountPoint]);
    if (status === 0) return;
    if (performance.now() > endMs) throw new Error(`Cannot unmount ${mountPoint}: ${stderr}`);
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  }
}

/** Mounts it at a directory, made where it is missing. It comes down with the work directory around it. */
export async function mountPowerDisk(mountPoint: string, sizeMib: number): Promise<PowerDisk> {
  let count = 0;
  let image = `${mountPoint}-0.img`;
  const mount = () => runCommand(["mount", "-o", "loop", image, mountPoint]);
  mkdirSync(mountPoint, { recursive: true });
  writeFileSync(image, "");
  truncateSync(image, sizeMib * 1024 * 1024);
  await runCommand(["mkfs.ext4", "-q", "-m", "0", image]);
  await mount();
  // It would be part of an exported tree.
  rmSync(`${mountPoint}/lost+found`, { recursive: true });
  return {
    async cut(...programs) {
      for (const { pid } of programs) stop(pid);
      await runCommand(["perl", "-e", SHUTDOWN, mountPoint]);
    },
    async restart() {
      await unmountIdle(mountPoint);
      const former = image;
      count += 1;
      image = `${mountPoint}-${count}.img`;
      await runCommand(["cp", "--sparse=always", former, image]);
      rmSync(former);
      await mount();
    },
  };
}
