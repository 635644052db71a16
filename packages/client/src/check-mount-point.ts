import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { MountError } from "./fuse/prepare-mount-point.ts";

/** A mount whose server hangs answers nobody; a live one answers in microseconds. */
const ANSWER_MS = 3_000;

/**
 * Refuses a mount point where something is mounted that still lives. What a dead mount has left is the
 * driver's to detach.
 *
 * @throws MountError `mount-point-in-use`
 */
export async function checkMountPoint(mountPoint: string): Promise<void> {
  if (!isMounted(mountPoint)) return;
  // Not stat(2): for some seconds the kernel answers that for a dead mount from what it remembers.
  const answer = statfs(mountPoint).then(
    () => "alive",
    (error: unknown) =>
      error instanceof Error && "code" in error && error.code === "ENOTCONN" ? "dead" : "alive",
  );
  const found = await Promise.race([answer, delay(ANSWER_MS, "hanging", { ref: false })]);
  if (found === "dead") return;
  throw new MountError("mount-point-in-use", mountPoint, `something is mounted there (${found})`);
}

/** Asks the kernel's table, which needs no answer of what is mounted. */
function isMounted(mountPoint: string): boolean {
  return readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .some((line) => unescape(line.split(" ")[4] ?? "") === mountPoint);
}

/** Blanks and backslashes are written as octal numbers there: proc(5). */
function unescape(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return Buffer.from(bytes, "latin1").toString();
}
