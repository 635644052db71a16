import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { delimiter, join } from "node:path";

import { izoVersion } from "../version.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** What of a machine the checks read; the tests have another one. */
export interface Machine {
  readonly nodeVersion: string;
  readonly kernel: string;
  readonly isRoot: boolean;
  readonly searchPath: string;
  /** The text of a file, or null where there is none that may be read. */
  readonly read: (path: string) => string | null;
  /** Whether a file may be read and written. */
  readonly isUsable: (path: string) => boolean;
  readonly exists: (path: string) => boolean;
}

/** The machine that this process runs on. */
export function thisMachine(env: Readonly<Record<string, string | undefined>>): Machine {
  return {
    nodeVersion: process.versions.node,
    kernel: release(),
    isRoot: process.getuid?.() === 0,
    searchPath: env["PATH"] ?? "/usr/bin:/bin",
    read: readOrNull,
    isUsable: isReadableAndWritable,
    exists: existsSync,
  };
}

const MIN_NODE = 24;
/** FUSE_PASSTHROUGH came with Linux 6.9. */
const PASSTHROUGH_KERNEL = [6, 9] as const;
const MIN_DESCRIPTORS = 4096;
/** Debian's default of older kernels; a tree of source code may have more directories. */
const FEW_WATCHES = 65_536;

/** Whether this machine can serve and mount. */
export function checkMachine(machine: Machine): Finding[] {
  return [
    checkVersions(machine),
    checkFuseDevice(machine),
    checkFusermount(machine),
    checkPassthrough(machine),
    checkInotify(machine),
    checkDescriptors(machine),
  ];
}

function checkVersions({ nodeVersion, kernel }: Machine): Finding {
  const found = `izo ${izoVersion()}, Node ${nodeVersion}, Linux ${kernel}`;
  return Number(nodeVersion.split(".")[0]) >= MIN_NODE
    ? ok("versions", found)
    : failure("versions", found, `Install Node ${MIN_NODE} or later`);
}

function checkFuseDevice({ exists, isUsable }: Machine): Finding {
  const device = "/dev/fuse";
  if (!exists(device)) {
    return failure(
      "fuse",
      `${device} is not there: this machine can serve, and mount nothing`,
      "modprobe fuse; a container needs --device /dev/fuse --cap-add SYS_ADMIN",
    );
  }
  if (isUsable(device)) return ok("fuse", `${device} can be opened`);
  return failure(
    "fuse",
    `${device} may not be opened`,
    "Mount as root, or chmod 666 /dev/fuse, as udev does",
  );
}

function checkFusermount({ isRoot, searchPath, exists, read }: Machine): Finding {
  const isThere = searchPath.split(delimiter).some((path) => exists(join(path, "fusermount3")));
  if (!isThere) {
    return warning(
      "fusermount3",
      "it is not installed: users other than root cannot mount, nor can the driver fuse-native",
      "apt-get install -y fuse3",
    );
  }
  const allowsOthers = /^\s*user_allow_other\b/m.test(read("/etc/fuse.conf") ?? "");
  if (isRoot || allowsOthers) return ok("fusermount3", "installed");
  return warning(
    "fusermount3",
    "installed: this user can mount, and alone sees what he mounts",
    "For others, put the line user_allow_other into /etc/fuse.conf, and mount with --allow-other",
  );
}

function checkPassthrough({ kernel, isRoot }: Machine): Finding {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  const [wantedMajor, wantedMinor] = PASSTHROUGH_KERNEL;
  const canKernel = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (canKernel && isRoot) {
    return ok(
      "passthrough",
      "possible: reads and writes then go past izo, at the disk's own speed",
    );
  }
  return warning(
    "passthrough",
    canKernel
      ? "only for mounts of root: all else works, reads and writes pass through izo"
      : "not before Linux 6.9: all else works, reads and writes pass through izo",
    canKernel ? "Mount as root to have it" : "Run a newer kernel to have it",
  );
}

function checkInotify({ read }: Machine): Finding {
  const path = "/proc/sys/fs/inotify/max_user_watches";
  const watches = Number(read(path));
  const found = `${watches.toLocaleString("en-US")} directories can be watched`;
  if (watches >= FEW_WATCHES) return ok("inotify", found);
  return warning(
    "inotify",
    `${found}; an export with more is scanned instead`,
    "sysctl fs.inotify.max_user_watches=1048576",
  );
}

function checkDescriptors({ read }: Machine): Finding {
  const limits = read("/proc/self/limits") ?? "";
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  const found = `${soft === Infinity ? "any number of" : soft.toLocaleString("en-US")} files can be open`;
  if (soft >= MIN_DESCRIPTORS) return ok("descriptors", found);
  return warning("descriptors", found, "ulimit -n 65536, or LimitNOFILE= of the service");
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function isReadableAndWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
