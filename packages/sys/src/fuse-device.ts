import { closeSync, constants, openSync } from "node:fs";

import { checkResult, ERRNO } from "./check-result.ts";
import { setNonBlocking } from "./descriptor-channel.ts";
import { detachWithHelper, mountWithHelper } from "./fusermount.ts";
import { mount } from "./mount.ts";
import { native } from "./native/load.ts";
import { SysError } from "./sys-error.ts";
import { umount2 } from "./umount.ts";
import { watchReadable } from "./watch-readable.ts";

/** What of mount(8)'s options for FUSE a mount takes. */
export interface FuseDeviceOptions {
  /** Shown as the type `fuse.<subtype>` in the list of mounts. */
  readonly subtype: string;
  /**
   * Other users may use the mount (`allow_other`). The kernel checks permissions in any case. By default, where this
   * process may mount by itself: the helper permits it only where /etc/fuse.conf says `user_allow_other`.
   */
  readonly isForAll?: boolean | undefined;
  /** The kernel refuses every change (`ro`). */
  readonly isReadOnly?: boolean;
}

/**
 * One connection to the kernel's FUSE (linux/fuse.h): /dev/fuse, mounted. Messages go in and out as they are; what they
 * mean is the caller's. Closing it ends the connection: every open file of the mount then fails with ENOTCONN.
 */
export class FuseDevice implements Disposable {
  readonly #fd: number;
  readonly #mountPoint: string;
  /** This process may not call mount(2): `fusermount3` has done it, and unmounts too. */
  readonly isByHelper: boolean;
  #watch: Disposable | undefined;
  #isClosed = false;

  /**
   * Mounts at `mountPoint`, through `fusermount3` where this process may not. The first message, INIT, is then there to
   * be received.
   *
   * @throws {SysError} ENOENT where the kernel has no FUSE
   * @throws {FusermountError}
   */
  constructor(mountPoint: string, options: FuseDeviceOptions) {
    this.#mountPoint = mountPoint;
    const fd = mountByItself(mountPoint, options);
    this.isByHelper = fd === undefined;
    this.#fd = fd ?? mountByHelper(mountPoint, options);
  }

  /** The descriptor, for writes that may block: notifications wait for locks of the kernel. */
  get fd(): number {
    return this.#fd;
  }

  /** Calls `onReadable` when there is a message, or when the mount is gone, until `stop`. Not twice. */
  start(onReadable: () => void): void {
    this.#watch = watchReadable(this.#fd, onReadable);
  }

  /** Messages wait until `start` is called again. */
  stop(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  /**
   * Receives one message into `buffer`: its length in bytes, or 0 when none came within `spinMicroseconds`, for which it
   * waits awake.
   *
   * @throws {SysError} ENODEV when the mount is gone.
   */
  receive(buffer: Uint8Array, spinMicroseconds: number): number {
    const length = native().fuseReceive(this.#fd, buffer, spinMicroseconds);
    return length >= 0 ? length : length === ERRNO.EAGAIN ? 0 : checkResult(length, "read");
  }

  /**
   * Sends the first `lengthBytes` of `buffer`, one message. One whose request nobody waits for any more is dropped.
   *
   * @throws {SysError} EINVAL for a message that the kernel cannot make sense of; ENODEV when the mount is gone.
   */
  send(buffer: Uint8Array, lengthBytes: number): void {
    const sent = native().fuseSend(this.#fd, buffer, lengthBytes);
    if (sent !== ERRNO.ENOENT) checkResult(sent, "write");
  }

  /**
   * Hands an open file to the kernel for FUSE passthrough: the number by which an answer to OPEN names it.
   *
   * @throws {SysError} EPERM without CAP_SYS_ADMIN; ELOOP for a file on a file system that is stacked too deep; EOPNOTSUPP
   * for what is no regular file; ENOTTY from a kernel without passthrough (before 6.9).
   */
  openBacking(fd: number): number {
    return checkResult(native().fuseOpenBacking(this.#fd, fd), "ioctl");
  }

  /** Takes a number back. Files that are open on it stay so. */
  closeBacking(backing: number): void {
    if (!this.#isClosed) native().fuseCloseBacking(this.#fd, backing);
  }

  /** Takes the mount out of the tree at once; who has files open in it keeps them until this is disposed of. */
  async detach(): Promise<void> {
    if (this.isByHelper) await detachWithHelper(this.#mountPoint);
    else umount2(this.#mountPoint, { lazy: true });
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.stop();
    closeSync(this.#fd);
  }
}

/** Undefined where this process has not the right to. */
function mountByItself(
  mountPoint: string,
  { subtype, isForAll = true, isReadOnly = false }: FuseDeviceOptions,
): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync("/dev/fuse", constants.O_RDWR | constants.O_NONBLOCK);
    const owner = `user_id=${process.geteuid!()},group_id=${process.getegid!()}`;
    const all = isForAll ? ",allow_other" : "";
    const data = `fd=${fd},rootmode=40000,${owner},default_permissions${all}`;
    const flags = { noSuid: true, noDev: true, readOnly: isReadOnly };
    mount(subtype, mountPoint, `fuse.${subtype}`, data, flags);
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

function mountByHelper(
  mountPoint: string,
  { subtype, isForAll = false, isReadOnly = false }: FuseDeviceOptions,
): number {
  const fd = mountWithHelper(mountPoint, [
    `fsname=${subtype}`,
    `subtype=${subtype}`,
    "nosuid",
    "nodev",
    "default_permissions",
    ...(isForAll ? ["allow_other"] : []),
    ...(isReadOnly ? ["ro"] : []),
  ]);
  setNonBlocking(fd);
  return fd;
}

/** EACCES where /dev/fuse is root's alone, EPERM of mount(2). */
function isForbidden(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EPERM" || (code === "EACCES" && !(error instanceof SysError));
}
