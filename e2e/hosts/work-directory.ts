import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isRunning, umount2 } from "@izo/sys";

const PREFIX = "izo-e2e-";

/** A directory for one test; what is still mounted below is detached before it is removed. */
export interface WorkDirectory extends Disposable {
  readonly path: string;
}

export function makeWorkDirectory(): WorkDirectory {
  const path = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  return { path, [Symbol.dispose]: () => removeWithMounts(path) };
}

/** Removes the directories of test runs that died. */
export function sweepWorkDirectories(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}([0-9]+)-`).exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) removeWithMounts(join(tmpdir(), name));
  }
}

function removeWithMounts(path: string): void {
  // The last mounted comes down first: mounts may lie in each other.
  for (const mountPoint of mountsBelow(path).toReversed()) umount2(mountPoint, { lazy: true });
  if (process.env["IZO_E2E_KEEP"] === undefined) rmSync(path, { recursive: true, force: true });
}

function mountsBelow(path: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((mountPoint) => mountPoint.startsWith(`${path}/`));
}
