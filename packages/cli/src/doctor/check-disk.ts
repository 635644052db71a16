import { statfs } from "node:fs/promises";

import { formatBytes } from "../output/quantity.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

const LITTLE_BYTES = 1024 ** 3;
const LITTLE_SHARE = 0.05;
const LITTLE_INODES_SHARE = 0.02;

/** Room on the file system of a directory. @param what is kept there, for people */
export async function checkDisk(check: string, path: string, what: string): Promise<Finding> {
  try {
    const { bavail, blocks, bsize, ffree, files } = await statfs(path);
    const free = bavail * bsize;
    const found = `${formatBytes(free)} free for ${what}`;
    if (bavail === 0) return failure(check, found, "Make room on that disk");
    // Some file systems count no inodes.
    if (files > 0 && ffree / files < LITTLE_INODES_SHARE) {
      return warning(check, `${found}, and few inodes are left`, "Remove small files there");
    }
    const isLittle = free < LITTLE_BYTES || bavail / blocks < LITTLE_SHARE;
    return isLittle ? warning(check, found, "Make room on that disk") : ok(check, found);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failure(check, `${path} cannot be looked at: ${reason}`, "Check the path and the disk");
  }
}
