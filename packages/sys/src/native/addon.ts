import type { Path } from "../path.ts";

/** What every call answers: the result of the system call (0 or more), or a negative errno. */
export type CallResult = number;

/**
 * The calls of the addon as C offers them (`native/calls.h`): numbers, names and buffers to fill, in the order of the
 * manual pages. Only the file that turns a call into its public form uses it.
 */
export interface Addon {
  utimensat(
    dirfd: number,
    path: Path,
    atimeSeconds: number,
    atimeNanoseconds: number,
    mtimeSeconds: number,
    mtimeNanoseconds: number,
    flags: number,
  ): CallResult;
  futimens(
    fd: number,
    atimeSeconds: number,
    atimeNanoseconds: number,
    mtimeSeconds: number,
    mtimeNanoseconds: number,
  ): CallResult;
  lgetxattr(path: Path, name: Path, value: Uint8Array): CallResult;
  fgetxattr(fd: number, name: Path, value: Uint8Array): CallResult;
  lsetxattr(path: Path, name: Path, value: Uint8Array, flags: number): CallResult;
  fsetxattr(fd: number, name: Path, value: Uint8Array, flags: number): CallResult;
  llistxattr(path: Path, list: Uint8Array): CallResult;
  flistxattr(fd: number, list: Uint8Array): CallResult;
  lremovexattr(path: Path, name: Path): CallResult;
  fremovexattr(fd: number, name: Path): CallResult;
  renameat2(fromDirfd: number, from: Path, toDirfd: number, to: Path, flags: number): CallResult;
  mknodat(dirfd: number, path: Path, mode: number, device: number): CallResult;
  mkdirat(dirfd: number, path: Path, mode: number): CallResult;
  unlinkat(dirfd: number, path: Path, flags: number): CallResult;
  symlinkat(target: Path, dirfd: number, path: Path): CallResult;
  linkat(fromDirfd: number, from: Path, toDirfd: number, to: Path, flags: number): CallResult;
  linkFd(fd: number, dirfd: number, path: Path): CallResult;
  readlinkat(dirfd: number, path: Path, target: Uint8Array): CallResult;
  fchownat(dirfd: number, path: Path, uid: number, gid: number, flags: number): CallResult;
  fchmodat(dirfd: number, path: Path, mode: number, flags: number): CallResult;
  statx(dirfd: number, path: Path, flags: number, slots: ArrayBuffer): CallResult;
  getdents64(fd: number, block: Uint8Array): CallResult;
  openat(dirfd: number, path: Path, flags: number, mode: number): CallResult;
  openat2(dirfd: number, path: Path, flags: number, mode: number, resolve: number): CallResult;
  setReadLease(fd: number): CallResult;
  releaseLease(fd: number): CallResult;
  hasWriter(fd: number): CallResult;
  reflink(fromFd: number, toFd: number): CallResult;
  copyFileRange(
    fromFd: number,
    fromOffset: number | bigint,
    toFd: number,
    toOffset: number | bigint,
    length: number | bigint,
  ): CallResult;
  fallocate(fd: number, mode: number, offset: number | bigint, length: number | bigint): CallResult;
  lseek(fd: number, offset: number | bigint, whence: number): CallResult;
  syncfs(fd: number): CallResult;
  flock(fd: number, operation: number): CallResult;
  mount(source: Path, target: Path, type: string, flags: number, data: string): CallResult;
  umount2(path: Path, flags: number): CallResult;
  sendDatagram(path: Path, message: Uint8Array): CallResult;
  socketPair(ends: ArrayBuffer): CallResult;
  receiveDescriptor(socket: number): CallResult;
  setNonBlocking(fd: number): CallResult;
  receive(fd: number, buffer: Uint8Array, waitMs: number, pauseMs: number): CallResult;
  readUnchanged(
    dirfd: number,
    names: Uint8Array,
    expected: Uint8Array,
    contents: Uint8Array,
    isRead: Uint8Array,
  ): CallResult | Promise<void>;
  makeFiles(
    dirfd: number,
    names: Uint8Array,
    wanted: Uint8Array,
    contents: readonly Uint8Array[],
    attribute: string,
    values: Uint8Array,
    valueLength: number,
    errors: Uint8Array,
  ): CallResult;
  /** Anything but a number is the watch, for `endWatch`. */
  watch(fd: number, onReadable: () => void): CallResult | object;
  endWatch(watch: object): CallResult;
  fuseReceive(fd: number, buffer: Uint8Array, spinMicroseconds: number): CallResult;
  fuseSend(fd: number, buffer: Uint8Array, lengthBytes: number): CallResult;
  fuseOpenBacking(deviceFd: number, fd: number): CallResult;
  fuseCloseBacking(deviceFd: number, backing: number): CallResult;
}
