// The Linux calls that Node lacks. All are synchronous: they act on local metadata and take microseconds, less than handing
// them to another thread would. Those that can block say so.

export { fallocate, FALLOC } from "./allocate.ts";
export {
  callControl,
  type ControlAnswer,
  type ControlCall,
  ControlSilentError,
} from "./control/call-control.ts";
export { API_SOCKET, CONTROL_SOCKET, withSocketPath } from "./control/control-socket.ts";
export {
  type ControlHandler,
  type ControlHandlers,
  type ControlRequest,
  serveControl,
} from "./control/serve-control.ts";
export { copyFileRange, reflink } from "./copy-in-kernel.ts";
export { CpuLatencyRequest, idleDriver } from "./cpu-latency.ts";
export { majorOf, makeDevice, minorOf } from "./device-number.ts";
export { nodeDisk, NodeDiskFile } from "./disk/node-disk.ts";
export { replaceFile } from "./disk/replace-file.ts";
export { flock, type FlockOperation } from "./flock.ts";
export type { FollowOptions } from "./follow.ts";
export { detachDeadWithHelper, FusermountError } from "./fusermount.ts";
export { FuseDevice, type FuseDeviceOptions } from "./fuse-device.ts";
export { isRunning } from "./is-running.ts";
export { hasWriter, releaseLease, setReadLease } from "./lease.ts";
export { makeDirectories } from "./make-directories.ts";
export { type FileToMake, makeFiles } from "./make-files.ts";
export { mknod, mknodat } from "./mknod.ts";
export { linkat, linkFd, mkdirat, readlinkat, symlinkat, unlinkat } from "./names.ts";
export { O_PATH, O_TMPFILE, openat, openat2, type ResolveOptions } from "./open.ts";
export { nodeHttp } from "./node-http.ts";
export { notePassed } from "./passing-buffers.ts";
export { type ProcessUsage, processUsage } from "./process-usage.ts";
export { fchmodat, fchownat } from "./owner.ts";
export { packageDirectory } from "./package-directory.ts";
export { AT_FDCWD, type Path } from "./path.ts";
export { readDirectory, type DirectoryEntry, type EntryType } from "./read-directory.ts";
export { readUnchanged } from "./read-unchanged.ts";
export { receive, type ReceiveTimes } from "./receive.ts";
export { renameat2, type RenameOptions } from "./rename.ts";
export { seekData, seekHole } from "./seek.ts";
export { SpaceReserve } from "./space-reserve.ts";
export { sendDatagram } from "./send-datagram.ts";
export { leadsSession, SessionPriority } from "./session-priority.ts";
export { fstat, fstatat, type Stat } from "./stat.ts";
export { supportsExchange } from "./supports-exchange.ts";
export { syncfs } from "./syncfs.ts";
export { SysError } from "./sys-error.ts";
export { nearestTimeNs } from "./time-range.ts";
export { futimens, utimens, utimensat, type TimeNs } from "./times.ts";
export { umount2, type UmountOptions } from "./umount.ts";
export { writeWhole } from "./write-whole.ts";
export {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  type XattrMode,
} from "./xattr.ts";
