import type { ClientOperation, Operation } from "../kml/operation.ts";

const PERMISSIONS = 0o7777;

/** S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK (inode(7)): what is neither file, directory nor symlink. */
const SPECIAL_TYPES: ReadonlySet<number> = new Set([0o010000, 0o020000, 0o060000, 0o140000]);

/** To chown(2) it means "as it is": nobody has this id. */
const NO_ID = 0xffff_ffff;

/**
 * Tells whether a client may send it: verdicts are the server's, an open CLOSE is not ready, and no disk
 * could hold a mode or an owner that the file system has no word for.
 */
export function isClientOperation(operation: Operation): operation is ClientOperation {
  switch (operation.opcode) {
    case "OUTCOME":
    case "ALIAS":
    case "TRUNCATED":
    case "SEALED":
    case "CANCELLED":
    case "SENT":
      return false;
    case "CLOSE":
      return operation.sha256 !== null;
    case "MKNOD":
      return isSpecial(operation) && hasOwner(operation) && hasDevice(operation);
    case "CREATE":
    case "MKDIR":
    case "SYMLINK":
      return isPlain(operation) && hasOwner(operation);
    case "SETATTR": {
      const { attributes } = operation;
      if (attributes === null) return true;
      // That of a special file has its type.
      return (isPlain(attributes) || isSpecial(attributes)) && hasOwner(attributes);
    }
    default:
      return true;
  }
}

/** Why one may not, in words. */
export function describeRefused({ opcode }: Operation): string {
  if (opcode === "CLOSE") return "a CLOSE without its hash";
  const isOfMode = ["MKNOD", "CREATE", "MKDIR", "SYMLINK", "SETATTR"].includes(opcode);
  return isOfMode
    ? `${opcode} with a mode or an owner that no file has`
    : `${opcode}, which no client may send`;
}

interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function isPlain({ mode }: Pick<Attributes, "mode">): boolean {
  return (mode & ~PERMISSIONS) === 0;
}

function isSpecial({ mode }: Pick<Attributes, "mode">): boolean {
  return SPECIAL_TYPES.has(mode & ~PERMISSIONS);
}

/** Device numbers of Linux have 32 bits (makedev(3)); FIFOs and sockets have none. */
function hasDevice({ mode, rdev }: Pick<Attributes, "mode"> & { readonly rdev: number }): boolean {
  const type = mode & ~PERMISSIONS;
  const isDevice = type === 0o020000 || type === 0o060000;
  return isDevice ? rdev <= 0xffff_ffff : rdev === 0;
}

function hasOwner({ uid, gid }: Omit<Attributes, "mode">): boolean {
  return uid !== NO_ID && gid !== NO_ID;
}
