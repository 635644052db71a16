import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { runCommand } from "./run-command.ts";

/**
 * Mounts a small ext4 of its own at `mountPoint`, from a file beside it, so that a disk can be full.
 * It comes down with the work directory that holds it.
 */
export async function mountSmallDisk(mountPoint: string, sizeMib: number): Promise<void> {
  const image = `${mountPoint}.img`;
  mkdirSync(mountPoint, { recursive: true });
  writeFileSync(image, "");
  truncateSync(image, sizeMib * 1024 * 1024);
  await runCommand(["mkfs.ext4", "-q", "-m", "0", image]);
  await runCommand(["mount", "-o", "loop", image, mountPoint]);
}

/** Fills what is left of the disk; gives the file that does. */
export async function fillDisk(directory: string): Promise<string> {
  const filler = join(directory, "filler");
  const command = ["sh", "-c", `dd if=/dev/zero of="$1" bs=4k status=none || true`, "sh", filler];
  await runCommand(command);
  return filler;
}
