/**
 * Numbers of the kernel's FUSE protocol, version 7, as the kernel's header `include/uapi/linux/fuse.h`
 * has them (7.40, Linux 6.9, and what later ones added). Layouts of messages stand where they are read
 * and written.
 */

/** What the kernel asks for: `enum fuse_opcode`. */
export const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  /** Since Linux 6.2. */
  TMPFILE: 51,
} as const;

/** What the two sides agree on at the start: the flags of `fuse_init_in` and `fuse_init_out`, as bit numbers. */
export const INIT_BIT = {
  /** Several reads of one file at once. */
  ASYNC_READ: 0,
  /** O_TRUNC comes with OPEN and not as a SETATTR after it. */
  ATOMIC_O_TRUNC: 3,
  /** Writes of more than 4 KiB. */
  BIG_WRITES: 5,
  /** Modes come with the umask still on them: an access control list of the directory can take its place. */
  DONT_MASK: 6,
  /** Listings with the attributes of their entries, where the kernel finds them useful. */
  DO_READDIRPLUS: 13,
  READDIRPLUS_AUTO: 14,
  /** Look-ups and listings of one directory at once. */
  PARALLEL_DIROPS: 18,
  /** The kernel asks for access control lists, and goes by them. */
  POSIX_ACL: 20,
  /** `max_pages` counts. */
  MAX_PAGES: 22,
  /** The kernel keeps targets of symlinks. */
  CACHE_SYMLINKS: 23,
  /**
   * This side takes set-user-ID bits away when a request says so. Without it the kernel asks for the
   * attribute `security.capability` before each write.
   */
  HANDLE_KILLPRIV_V2: 28,
  /** SETXATTR says what else belongs to it. */
  SETXATTR_EXT: 29,
  /** There is a second word of flags. */
  INIT_EXT: 30,
  /** A file that is opened with `OPEN_FLAG.DIRECT_IO` can be mapped shared. */
  DIRECT_IO_ALLOW_MMAP: 36,
  /** Answers to OPEN may name a file of which the kernel reads and writes the data itself. */
  PASSTHROUGH: 37,
} as const;

/** The flags of an answer to OPEN: `FOPEN_*`. */
export const OPEN_FLAG = {
  /** Reads and writes come here as they are; the kernel keeps no pages but those of mappings. */
  DIRECT_IO: 1 << 0,
  /** Pages that the kernel has of this file are right. */
  KEEP_CACHE: 1 << 1,
  /** The kernel may keep the listing of a directory. */
  CACHE_DIR: 1 << 3,
  /** close(2) needs no FLUSH. */
  NOFLUSH: 1 << 5,
  /** Data goes to the file of `backing_id`. */
  PASSTHROUGH: 1 << 7,
} as const;

/** Which fields of `fuse_setattr_in` count: `FATTR_*`. */
export const SETATTR_FLAG = {
  MODE: 1 << 0,
  UID: 1 << 1,
  GID: 1 << 2,
  SIZE: 1 << 3,
  ATIME: 1 << 4,
  MTIME: 1 << 5,
  FH: 1 << 6,
  ATIME_NOW: 1 << 7,
  MTIME_NOW: 1 << 8,
  KILL_SUIDGID: 1 << 11,
} as const;

/** `FUSE_GETATTR_FH`: the request is about an open file. */
export const GETATTR_FH = 1;

/** `FUSE_OPEN_KILL_SUIDGID`: the open truncates, and the file loses its set-user-ID bits. */
export const OPEN_KILL_SUIDGID = 1;

/** `FUSE_WRITE_KILL_SUIDGID`, likewise for a write. */
export const WRITE_KILL_SUIDGID = 1 << 2;

/** `FUSE_SETXATTR_ACL_KILL_SGID`: who sets the list is not of the file's group, which loses its bit. */
export const SETXATTR_KILL_SGID = 1;

/** `FUSE_FSYNC_FDATASYNC`: fdatasync(2). */
export const FSYNC_DATA_ONLY = 1;

/** What this side tells the kernel unasked: `enum fuse_notify_code`, in place of an errno. */
export const NOTIFY = { INVAL_INODE: 2, INVAL_ENTRY: 3 } as const;

export const MAJOR = 7;

/** The newest minor version whose messages are known here: that of passthrough. */
export const MINOR = 40;

/** The oldest one: setattr with KILL_SUIDGID, Linux 5.11. */
export const OLDEST_MINOR = 33;

/** `struct fuse_in_header` and `struct fuse_out_header`. */
export const IN_HEADER_BYTES = 40;
export const OUT_HEADER_BYTES = 16;
