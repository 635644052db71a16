import type { Attributes } from "../file-system.ts";
import { OUT_HEADER_BYTES } from "./protocol.ts";

const WORD = 0x1_0000_0000;
const NS_PER_SECOND = 1_000_000_000n;

/** The bytes of `struct fuse_attr`, `fuse_entry_out`, `fuse_attr_out` and `fuse_open_out`. */
const ATTR_BYTES = 88;
export const ENTRY_BYTES = 40 + ATTR_BYTES;
export const ATTR_OUT_BYTES = 16 + ATTR_BYTES;
export const OPEN_BYTES = 16;

/**
 * How long the kernel believes a name or attributes, in seconds. It is told of every change that it
 * does not make itself, so it could be for ever; an hour bounds the harm of a notification that failed.
 */
const BELIEF_SECONDS = 3600;

/**
 * The answer to one request, in a buffer that serves all of them in turn.
 *
 * ```
 * struct fuse_out_header   0 len u32   4 error i32   8 unique u64
 * ```
 *
 * Offsets that methods take are from the end of that header.
 */
export class ReplyMessage {
  readonly bytes: Buffer;
  readonly #words: Uint32Array;
  readonly #longs: BigUint64Array;

  constructor(capacityBytes: number) {
    const memory = new ArrayBuffer(capacityBytes);
    this.bytes = Buffer.from(memory);
    this.#words = new Uint32Array(memory);
    this.#longs = new BigUint64Array(memory);
  }

  /** Writes the header; the length of the whole message. */
  finish(uniqueLow: number, uniqueHigh: number, error: number, bodyBytes: number): number {
    const lengthBytes = OUT_HEADER_BYTES + bodyBytes;
    this.#words[0] = lengthBytes;
    this.#words[1] = error;
    this.#words[2] = uniqueLow;
    this.#words[3] = uniqueHigh;
    return lengthBytes;
  }

  u32(offset: number, value: number): void {
    this.#words[(OUT_HEADER_BYTES + offset) >> 2] = value;
  }

  u64(offset: number, value: number): void {
    this.u32(offset, value % WORD);
    this.u32(offset + 4, Math.floor(value / WORD));
  }

  /** At a multiple of 8. */
  bigU64(offset: number, value: bigint): void {
    this.#longs[(OUT_HEADER_BYTES + offset) >> 3] = value;
  }

  /** Bytes, filled up with zeros to `lengthBytes`: one by one, which for a name is quicker than a call. */
  padded(offset: number, bytes: Uint8Array, lengthBytes: number): void {
    const start = OUT_HEADER_BYTES + offset;
    const end = start + lengthBytes;
    let at = start;
    for (const byte of bytes) this.bytes[at++] = byte;
    while (at < end) this.bytes[at++] = 0;
  }

  /** The part of the buffer where a body of that size goes. */
  body(offset: number, lengthBytes: number): Buffer {
    const start = OUT_HEADER_BYTES + offset;
    return this.bytes.subarray(start, start + lengthBytes);
  }

  /**
   * `struct fuse_entry_out`: nodeid, generation, entry_valid, attr_valid, their nanoseconds, attr.
   *
   * @param volatileMs how long attributes may be believed that can be old at once
   */
  entry(offset: number, node: number, attributes: Attributes, volatileMs = 0): void {
    const isVolatile = attributes.isVolatile === true;
    this.u64(offset, node);
    // A node's number is never given out again, so there is one generation.
    this.u64(offset + 8, 0);
    this.u64(offset + 16, BELIEF_SECONDS);
    this.u64(offset + 24, isVolatile ? 0 : BELIEF_SECONDS);
    this.u32(offset + 32, 0);
    this.u32(offset + 36, isVolatile ? volatileMs * 1_000_000 : 0);
    this.#attributes(offset + 40, attributes);
  }

  /** That a name is not there, for the kernel to remember: an entry without a node. */
  absence(offset: number): void {
    this.body(offset, ENTRY_BYTES).fill(0);
    this.u64(offset + 16, BELIEF_SECONDS);
  }

  /** `struct fuse_attr_out`: attr_valid, its nanoseconds, attr. */
  attributes(offset: number, attributes: Attributes): void {
    this.u64(offset, attributes.isVolatile === true ? 0 : BELIEF_SECONDS);
    this.u64(offset + 8, 0);
    this.#attributes(offset + 16, attributes);
  }

  /** `struct fuse_open_out`: fh, open_flags, backing_id. */
  opened(offset: number, handle: number, flags: number, backing: number): void {
    this.u64(offset, handle);
    this.u32(offset + 8, flags);
    this.u32(offset + 12, backing);
  }

  /**
   * ```
   * struct fuse_attr   0 ino u64     8 size u64      16 blocks u64    24 atime u64    32 mtime u64
   *                   40 ctime u64  48 atimensec u32  52 mtimensec u32 56 ctimensec u32
   *                   60 mode u32   64 nlink u32      68 uid u32       72 gid u32
   *                   76 rdev u32   80 blksize u32    84 flags u32
   * ```
   */
  #attributes(offset: number, attributes: Attributes): void {
    this.bigU64(offset, attributes.ino);
    this.u64(offset + 8, attributes.sizeBytes);
    this.u64(offset + 16, attributes.blocks);
    this.#time(offset + 24, offset + 48, attributes.atimeNs);
    this.#time(offset + 32, offset + 52, attributes.mtimeNs);
    this.#time(offset + 40, offset + 56, attributes.ctimeNs);
    this.u32(offset + 60, attributes.mode);
    this.u32(offset + 64, attributes.nlink);
    this.u32(offset + 68, attributes.uid);
    this.u32(offset + 72, attributes.gid);
    this.u32(offset + 76, attributes.rdev);
    this.u32(offset + 80, attributes.blockSize);
    this.u32(offset + 84, 0);
  }

  /** Seconds and nanoseconds; before 1970 the nanoseconds still count upwards. */
  #time(secondsOffset: number, nanosecondsOffset: number, timeNs: bigint): void {
    const rest = Number(timeNs % NS_PER_SECOND);
    const isEarlier = rest < 0;
    // No time that a file can have is as far away as 2^53 seconds.
    const seconds = Number(timeNs / NS_PER_SECOND) - (isEarlier ? 1 : 0);
    this.u32(secondsOffset, seconds % WORD);
    this.u32(secondsOffset + 4, Math.floor(seconds / WORD));
    this.u32(nanosecondsOffset, isEarlier ? rest + 1e9 : rest);
  }
}
