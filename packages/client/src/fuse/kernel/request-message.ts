import { bytesToText, type Name, NAME_MAX_BYTES, parseName } from "@izo/core";

import { ErrnoError } from "../errno.ts";
import type { Caller, NodeId } from "../file-system.ts";
import { NODE_HIGH_MASK } from "./node-number.ts";
import { IN_HEADER_BYTES } from "./protocol.ts";

/** 2^32. */
const WORD = 0x1_0000_0000;

/**
 * One request of the kernel, in the buffer into which it was received; the next one takes its place, so
 * nothing may read it after an `await`.
 *
 * ```
 * struct fuse_in_header   0 len u32   4 opcode u32   8 unique u64   16 nodeid u64
 *                        24 uid u32  28 gid u32     32 pid u32      36 total_extlen u16, padding u16
 * ```
 *
 * Offsets that methods take are from the end of that header. All integers are the machine's own, as the
 * kernel on the same machine writes them.
 */
export class RequestMessage {
  readonly bytes: Buffer;
  readonly #words: Uint32Array;
  #lengthBytes = 0;

  constructor(capacityBytes: number) {
    const memory = new ArrayBuffer(capacityBytes);
    this.bytes = Buffer.from(memory);
    this.#words = new Uint32Array(memory);
  }

  /** Says that a message of that length is in the buffer now. */
  received(lengthBytes: number): void {
    this.#lengthBytes = lengthBytes;
  }

  get opcode(): number {
    return this.#words[1]!;
  }

  /** The request's number, in two words: answers repeat it, nobody counts with it. */
  get uniqueLow(): number {
    return this.#words[2]!;
  }

  get uniqueHigh(): number {
    return this.#words[3]!;
  }

  /** The node that it is about, under whichever number. */
  get node(): NodeId {
    return this.#words[4]! + (this.#words[5]! & NODE_HIGH_MASK) * WORD;
  }

  /** The number under which the kernel has that node. */
  get number(): number {
    return this.#words[4]! + this.#words[5]! * WORD;
  }

  /** The thread that asks, as its pid namespace has it; 0 for one in another. */
  get thread(): number {
    return this.#words[8]!;
  }

  /** Who asks. A copy, good for ever. */
  get caller(): Caller {
    return { uid: this.#words[6]!, gid: this.#words[7]!, pid: this.#words[8]! };
  }

  u32(offset: number): number {
    return this.#words[(IN_HEADER_BYTES + offset) >> 2]!;
  }

  /** As a number, rounded above 2^53. Everything that this side gave out is below. */
  u64(offset: number): number {
    return this.u32(offset) + this.u32(offset + 4) * WORD;
  }

  /**
   * A size or offset that a file can have. No file system of Linux has larger ones than fit into a number.
   *
   * @throws ErrnoError EFBIG
   */
  size(offset: number): number {
    const size = this.u64(offset);
    if (size <= Number.MAX_SAFE_INTEGER) return size;
    throw new ErrnoError("EFBIG", `Cannot make a file of ${size} bytes`);
  }

  i64(offset: number): bigint {
    return (BigInt(this.u32(offset + 4) | 0) << 32n) | BigInt(this.u32(offset));
  }

  /** The bytes from `offset` on: `lengthBytes` of them, or all that are left. */
  slice(offset: number, lengthBytes?: number): Buffer {
    const start = IN_HEADER_BYTES + offset;
    const end = lengthBytes === undefined ? this.#lengthBytes : start + lengthBytes;
    return this.bytes.subarray(start, Math.min(end, this.#lengthBytes));
  }

  /** A text that ends with a NUL byte, escaped like a name, and where the next one starts. */
  text(offset: number): { readonly text: string; readonly next: number } {
    const start = IN_HEADER_BYTES + offset;
    const end = this.bytes.indexOf(0, start);
    const isWhole = end >= 0 && end < this.#lengthBytes;
    const stop = isWhole ? end : this.#lengthBytes;
    return {
      text: bytesToText(this.bytes.subarray(start, stop)),
      next: stop + 1 - IN_HEADER_BYTES,
    };
  }

  /**
   * A name of an entry, and where the next one starts.
   *
   * @throws ErrnoError ENAMETOOLONG: recent kernels pass on names of over 255 bytes.
   */
  name(offset: number): { readonly name: Name; readonly next: number } {
    const { text, next } = this.text(offset);
    if (next - offset - 1 > NAME_MAX_BYTES) {
      throw new ErrnoError("ENAMETOOLONG", `Cannot use a name of over ${NAME_MAX_BYTES} bytes`);
    }
    return { name: parseName(text), next };
  }
}
