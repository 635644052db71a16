import { closeSync, constants, openSync } from "node:fs";

import { checkResult, ERRNO } from "./check-result.ts";
import { mount } from "./mount.ts";
import { native } from "./native/load.ts";
import type { Path } from "./path.ts";
import { umount2 } from "./umount.ts";
import { watchReadable } from "./watch-readable.ts";

/** What of mount(8)'s options for FUSE a mount takes. */
export interface FuseDeviceOptions {
  /** Shown as the type `fuse.<subtype>` in the list of mounts. */
  readonly subtype: string;
  /** Other users may use the mount (`allow_other`). The kernel checks permissions in any case. */
  readonly isForAll: boolean;
  /** The kernel refuses every change (`ro`). */
  readonly isReadOnly?: boolean;
}

/**
 * One connection to the kernel's FUSE (linux/fuse.h): /dev/fuse, mounted. Messages go in and out as they are; what they
 * mean is the caller's. Closing it ends the connection: every open file of the mount then fails with ENOTCONN.
 */
export class FuseDevice implements Disposable {
  readonly #fd: number;
  readonly #mountPoint: Path;
  #watch: Disposable | undefined;
  #isClosed = false;

  /**
   * Mounts at `mountPoint`. The first message, INIT, is then there to be received.
   *
   * @throws {SysError} EPERM without CAP_SYS_ADMIN; ENOENT where the kernel has no FUSE.
   */
  constructor(mountPoint: Path, { subtype, isForAll, isReadOnly = false }: FuseDeviceOptions) {
    this.#mountPoint = mountPoint;
    this.#fd = openSync("/dev/fuse", constants.O_RDWR | constants.O_NONBLOCK);
    const all = isForAll ? ",allow_other" : "";
    const data = `fd=${this.#fd},rootmode=40000,user_id=0,group_id=0,default_permissions${all}`;
    try {
      const flags = { noSuid: true, noDev: true, readOnly: isReadOnly };
      mount(subtype, mountPoint, `fuse.${subtype}`, data, flags);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** The descriptor, for writes that may block: notifications wait for locks of the kernel. */
  get fd(): number {
    return this.#fd;
  }

  /** Calls `onReadable` when there is a message, or when the mount is gone. Once. */
  start(onReadable: () => void): void {
    this.#watch = watchReadable(this.#fd, onReadable);
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
  detach(): void {
    umount2(this.#mountPoint, { lazy: true });
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    closeSync(this.#fd);
  }
}
