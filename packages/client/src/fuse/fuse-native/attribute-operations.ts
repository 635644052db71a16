/** getattr, chmod, chown, utimens, truncate and extended attributes. */
import { constants } from "node:fs";

import type { Attributes, SetAttributes } from "../file-system.ts";
import {
  type Operations,
  type Stats,
  type Timespec,
  utimeNow,
  utimeOmit,
} from "./fuse-native-binding.ts";
import { fromKernel, toKernel } from "./kernel-names.ts";
import { absent } from "./node-paths.ts";
import type { Requests, Target } from "./request.ts";

const nsPerSecond = 1_000_000_000n;

/** (uid_t) -1 and (gid_t) -1: leave as it is, chown(2). */
const unchangedId = 0xffff_ffff;

export function attributeOperations(requests: Requests) {
  const { fileSystem, paths } = requests;

  /** The kernel's LOOKUP and GETATTR look alike here, so each asks for the name anew. */
  function statPath(path: string): Attributes {
    const hidden = requests.hidden.get(path);
    if (hidden !== undefined) return fileSystem.getattr(hidden.node, hidden.fd);
    if (path === "/") return fileSystem.getattr(paths.directory("/"));
    const { parent, name } = paths.place(path);
    const node = fileSystem.lookup(parent, name);
    if (node === undefined) {
      paths.drop(path);
      throw absent(path);
    }
    const attributes = fileSystem.getattr(node);
    if ((attributes.mode & constants.S_IFMT) === constants.S_IFDIR) {
      paths.adopt(path, node);
    } else {
      paths.drop(path);
      fileSystem.forget(node);
    }
    return attributes;
  }

  function change(path: string | null, handle: number | bigint, changes: SetAttributes) {
    const caller = requests.caller();
    return requests.withHandle(path, handle, ({ node, fd }: Target) =>
      fileSystem.setattr(node, changes, caller, fd),
    );
  }

  return {
    getattr(path, reply) {
      requests.answer(reply, () => {
        if (path === null) throw absent("(removed)");
        return toStats(statPath(path));
      });
    },
    fgetattr(_path, handle, reply) {
      requests.answer(reply, () => {
        const { node, fd } = requests.handles.get(handle);
        return toStats(fileSystem.getattr(node, fd));
      });
    },
    chmodWithHandle(path, handle, mode, reply) {
      requests.answer(reply, () => change(path, handle, { mode }));
    },
    chownWithHandle(path, handle, uid, gid, reply) {
      requests.answer(reply, () =>
        change(path, handle, {
          ...(uid === unchangedId ? {} : { uid }),
          ...(gid === unchangedId ? {} : { gid }),
        }),
      );
    },
    utimensWithHandle(path, handle, atime, mtime, reply) {
      requests.answer(reply, () => {
        const atimeNs = fromTimespec(atime);
        const mtimeNs = fromTimespec(mtime);
        return change(path, handle, {
          ...(atimeNs === undefined ? {} : { atimeNs }),
          ...(mtimeNs === undefined ? {} : { mtimeNs }),
        });
      });
    },
    truncate(path, sizeBytes, reply) {
      requests.answer(reply, () => change(path, 0, { sizeBytes: Number(sizeBytes) }));
    },
    ftruncate(path, handle, sizeBytes, reply) {
      requests.answer(reply, () => change(path, handle, { sizeBytes: Number(sizeBytes) }));
    },
    getxattr(path, name, _position, reply) {
      requests.answer(reply, () =>
        requests.with(path, ({ node }) => fileSystem.getxattr(node, fromKernel(name)) ?? null),
      );
    },
    listxattr(path, reply) {
      requests.answer(reply, () =>
        requests.with(path, ({ node }) => fileSystem.listxattr(node).map(toKernel)),
      );
    },
    setxattr(path, name, value, _position, flags, reply) {
      requests.answer(reply, () => {
        const caller = requests.caller();
        requests.with(path, ({ node }) =>
          fileSystem.setxattr(node, fromKernel(name), value, flags, caller),
        );
      });
    },
    removexattr(path, name, reply) {
      requests.answer(reply, () => {
        const caller = requests.caller();
        requests.with(path, ({ node }) => fileSystem.removexattr(node, fromKernel(name), caller));
      });
    },
  } satisfies Operations;
}

function toStats(attributes: Attributes): Stats {
  return {
    ino: attributes.ino,
    mode: attributes.mode,
    nlink: attributes.nlink,
    uid: attributes.uid,
    gid: attributes.gid,
    rdev: attributes.rdev,
    size: attributes.sizeBytes,
    blocks: attributes.blocks,
    blksize: attributes.blockSize,
    atime: toTimespec(attributes.atimeNs),
    mtime: toTimespec(attributes.mtimeNs),
    ctime: toTimespec(attributes.ctimeNs),
  };
}

/** Before 1970 the seconds are rounded down and the nanoseconds stay positive, as in struct timespec. */
function toTimespec(timeNs: bigint): Timespec {
  const nanoseconds = ((timeNs % nsPerSecond) + nsPerSecond) % nsPerSecond;
  return { seconds: (timeNs - nanoseconds) / nsPerSecond, nanoseconds: Number(nanoseconds) };
}

function fromTimespec({ seconds, nanoseconds }: Timespec): bigint | "now" | undefined {
  if (nanoseconds === utimeNow) return "now";
  if (nanoseconds === utimeOmit) return undefined;
  return BigInt(seconds) * nsPerSecond + BigInt(nanoseconds);
}
