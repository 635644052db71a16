import { closeSync } from "node:fs";

import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";

/**
 * A connection over which another process hands an open file to this one: SCM_RIGHTS of unix(7). One end is inherited by
 * that process; the other stays here. Disposing of it closes both, and not what was received.
 */
export class DescriptorChannel implements Disposable {
  readonly #here: number;
  /** For the other process, as one of its standard descriptors or by its number. */
  readonly there: number;

  /** @throws {SysError} */
  constructor() {
    const ends = new Int32Array(2);
    checkResult(native().socketPair(ends.buffer), "socketpair");
    this.#here = ends[0]!;
    this.there = ends[1]!;
  }

  /**
   * Takes a descriptor that was sent; it is close-on-exec, and the caller's to close. Never waits.
   *
   * @throws {SysError} EAGAIN when nothing was sent; ENOMSG when what was sent is no descriptor.
   */
  receive(): number {
    return checkResult(native().receiveDescriptor(this.#here), "recvmsg");
  }

  [Symbol.dispose](): void {
    closeSync(this.#here);
    closeSync(this.there);
  }
}

/**
 * Makes reads of `fd` that find nothing fail with EAGAIN (O_NONBLOCK), for everybody who shares the open file.
 *
 * @throws {SysError}
 */
export function setNonBlocking(fd: number): void {
  checkResult(native().setNonBlocking(fd), "fcntl");
}
