import { closeSync, existsSync, openSync } from "node:fs";

import { supportsExchange } from "@izo/sys";

import { checkDisk } from "./check-disk.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** Whether a directory of this machine can be served, and is. */
export async function checkExport(directory: string, fileset: string): Promise<Finding[]> {
  if (!existsSync(directory)) {
    return [failure("export", `${directory} is not there`, "Check the path")];
  }
  return [
    checkFileSystem(directory),
    await checkDisk("disk", directory, "the export, its log and old contents"),
    await checkRunning(directory, fileset),
  ];
}

function checkFileSystem(directory: string): Finding {
  const fd = openSync(directory, "r");
  try {
    return supportsExchange(fd)
      ? ok("file system", "it swaps names in one step, as an export needs")
      : failure(
          "file system",
          "it cannot swap two names in one step (RENAME_EXCHANGE)",
          "Serve from ext4, xfs, btrfs or tmpfs",
        );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failure(
      "file system",
      `it cannot be written to: ${reason}`,
      "Run as its owner, or root",
    );
  } finally {
    closeSync(fd);
  }
}

async function checkRunning(directory: string, fileset: string): Promise<Finding> {
  const { connectServer } = await import("@izo/server");
  try {
    const { heldRemoval, problems, watching } = await connectServer(directory, fileset).status();
    if (heldRemoval !== null) {
      return warning("serving", `${heldRemoval.removed} files are gone and held`, "izo held DIR");
    }
    const [problem] = problems;
    if (problem !== undefined) {
      return warning("serving", `${problem.path}: ${problem.message}`, "See izo status URL");
    }
    if (watching === "inotify")
      return ok("serving", "a server runs and sees direct changes at once");
    return warning(
      "serving",
      "a server runs and finds direct changes by scanning",
      "sysctl fs.inotify.max_user_watches=1048576, and start it again",
    );
  } catch {
    return warning("serving", `no server runs for the fileset ${fileset}`, "izo serve DIR");
  }
}
