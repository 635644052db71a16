/**
 * The seam between the kernel and the file system (design C2): (node, name, handle) in, errno out.
 *
 * A driver implements the kernel's protocol and calls a `FileSystem`; neither knows the other's
 * insides. Nothing here speaks of filesets, logs or servers.
 *
 * Errors are thrown (or rejected with): an `ErrnoError`, or any error whose `code` is an errno name,
 * as those of `node:fs` and `@izo/sys` are. Everything else becomes EIO and is reported.
 *
 * Only `open` and `setattr` may answer with a promise, for content that must be fetched first, and
 * `fsync`, `fsyncdir` and `makeRoom`, for the disk, which waits for nobody. All other methods are synchronous, and
 * that is what keeps invalidation free of deadlocks (design C7): the kernel holds a directory's lock
 * during lookup, create, unlink, rename and their like, and a notification about that directory waits
 * for the lock. No method that runs under such a lock can ever wait for anything but the disk.
 *
 * A read can wait too, of content that is arriving. No directory is locked then, but pages of the file can
 * be, and a notification about its pages would wait for them: see `ArrivingContent`.
 */
import type { Name } from "@izo/core";

/**
 * A kernel node: one inode of the cache (design C3), never reused for another inode while mounted.
 *
 * Every method that returns a node adds one reference to it; `forget` takes one away. A node without
 * references is not named by the driver again. The root is always there.
 */
export type NodeId = number;

export const rootNode: NodeId = 1;

/** Who asks. Supplementary groups are looked up when needed: `readCallerGroups(caller.pid)`. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  /** The calling thread; 0 when it lives in another pid namespace. */
  readonly pid: number;
  /** What the mode of a new entry has too much; absent where the kernel has taken it off. */
  readonly umask?: number;
}

export interface Attributes {
  readonly ino: bigint;
  /** Type and permissions, as `st_mode`. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly sizeBytes: number;
  /** In units of 512 bytes, as `st_blocks`. */
  readonly blocks: number;
  readonly blockSize: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Somebody may change the file without anybody's seeing it: what is said here can be old at once. */
  readonly isVolatile?: boolean;
}

/** What to change; what is absent stays. */
export interface SetAttributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly sizeBytes?: number;
  readonly atimeNs?: bigint | "now";
  readonly mtimeNs?: bigint | "now";
}

export interface Opened {
  /** A real descriptor of the cache file. Reads and writes of data go to it without asking further. */
  readonly fd: number;
  /** Nothing but this mount has changed the content since this node was opened before. */
  readonly keepCache: boolean;
  /** Set where not all of the content is here yet. */
  readonly arriving?: ArrivingContent;
}

/**
 * A content that is read while it is fetched. The descriptor is of a file of its full size, of which only
 * may be read what this says is here.
 *
 * While a read waits the kernel may hold the lock of the page that it is to fill (a mapping, sendfile),
 * perhaps for as long as the network is away. So a driver writes no notification about pages of such a
 * node: they are of one content, whatever happens to its names. That ends when it is settled.
 */
export interface ArrivingContent {
  /** No read waits any more: all of it is here, or it has failed for good. */
  readonly isSettled: boolean;
  /**
   * Undefined where these bytes can be read now; else resolves when they can, and rejects with the errno
   * for the read. What is beyond the end does not count.
   */
  whenHere(offset: number, length: number): Promise<void> | undefined;
}

export interface Created extends Opened {
  readonly node: NodeId;
}

export interface DirectoryEntry {
  readonly name: Name;
  /** The name as it is in directories. */
  readonly bytes: Uint8Array;
  /** The S_IFMT bits of its mode. */
  readonly type: number;
  readonly ino: bigint;
  /** Goes up from entry to entry, and stays when others come and go; above 1. */
  readonly position: bigint;
  /** Its node, where that is known without looking. No reference comes with it. */
  readonly node: NodeId | undefined;
}

export interface FileSystemStatistics {
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly blocksAvailable: number;
  readonly files: number;
  readonly filesFree: number;
}

export type Awaitable<T> = T | Promise<T>;

export interface FileSystem {
  /**
   * `willWrite` comes before every write, because any of them may be refused: the kernel must not write
   * past the driver.
   */
  readonly announcesEveryWrite?: true;

  /** The node of a name, or undefined when there is none: absence is common and must be cheap. */
  lookup(parent: NodeId, name: Name): NodeId | undefined;
  forget(node: NodeId): void;
  getattr(node: NodeId, fd?: number): Attributes;
  setattr(node: NodeId, changes: SetAttributes, caller: Caller, fd?: number): Awaitable<void>;
  /** The target, escaped like a name. */
  readlink(node: NodeId): string;

  mknod(parent: NodeId, name: Name, mode: number, rdev: number, caller: Caller): NodeId;
  mkdir(parent: NodeId, name: Name, mode: number, caller: Caller): NodeId;
  symlink(parent: NodeId, name: Name, target: string, caller: Caller): NodeId;
  link(node: NodeId, newParent: NodeId, newName: Name, caller: Caller): void;
  unlink(parent: NodeId, name: Name, caller: Caller): void;
  rmdir(parent: NodeId, name: Name, caller: Caller): void;
  /** `flags` as of renameat2(2): RENAME_NOREPLACE 1, RENAME_EXCHANGE 2. */
  rename(
    parent: NodeId,
    name: Name,
    newParent: NodeId,
    newName: Name,
    flags: number,
    caller: Caller,
  ): void;

  /**
   * `flags` as of open(2), O_TRUNC included: then the content ends here.
   *
   * @param mayArrive the driver can serve content of which not all is here; else the open waits for it
   */
  open(node: NodeId, flags: number, caller: Caller, mayArrive?: boolean): Awaitable<Opened>;
  create(parent: NodeId, name: Name, mode: number, flags: number, caller: Caller): Created;
  /** A file without a name, as O_TMPFILE asks for in a directory; `link` can give it its first one. */
  createNameless(parent: NodeId, mode: number, flags: number, caller: Caller): Created;
  /**
   * The first write of a handle, and the first after each flush, is about to happen: log the intent now.
   * With `isUnseen` the kernel will write past the driver until the release, without saying so again.
   *
   * @param isNew nothing else was asked since the file was made
   */
  willWrite(node: NodeId, fd: number, isUnseen: boolean, isNew?: boolean): void;
  /** A descriptor of this handle was closed. May come several times per handle, or never. */
  flush(node: NodeId, fd: number): void;
  /**
   * The handle is gone: close `fd`. Comes exactly once per open and create.
   *
   * @returns whether `fd` stays open all the same: the next open of the node for reading may give it again,
   *   until `FuseMount.descriptorClosed` says that it is closed
   */
  release(node: NodeId, fd: number): boolean;
  fsync(node: NodeId, fd: number, dataOnly: boolean): Awaitable<void>;

  /**
   * All entries but "." and "..", by their positions.
   *
   * @param keepsAtime as O_NOATIME of open(2) asks: the listing is no access
   */
  readdir(node: NodeId, keepsAtime?: boolean): DirectoryEntry[];
  /**
   * Where a directory is, from the root, without a slash in front; empty for the root. Undefined where it has
   * no name any more. A file system without this has nobody told who watches: see `WatchedChange`.
   */
  pathOf?(directory: NodeId): Uint8Array | undefined;
  /** The inode number of the directory above; of the root its own. */
  parentIno(node: NodeId): bigint;
  fsyncdir(node: NodeId, dataOnly: boolean): Awaitable<void>;

  /** Undefined when there is no such attribute. */
  getxattr(node: NodeId, name: string): Buffer | undefined;
  listxattr(node: NodeId): string[];
  /** `flags` as of setxattr(2): XATTR_CREATE 1, XATTR_REPLACE 2. */
  setxattr(node: NodeId, name: string, value: Buffer, flags: number, caller: Caller): void;
  removexattr(node: NodeId, name: string, caller: Caller): void;

  statfs(): FileSystemStatistics;

  /** A write found the disk full: lets go what is not needed. Resolves with whether any room was made. */
  makeRoom(bytes: number): Promise<boolean>;
}
