import { describe, expect, test } from "vitest";

import type { Attributes } from "../file-system.ts";
import { OUT_HEADER_BYTES } from "./protocol.ts";
import { ATTR_OUT_BYTES, ENTRY_BYTES, ReplyMessage } from "./reply-message.ts";

const ATTRIBUTES: Attributes = {
  ino: 0x0123_4567_89ab_cdefn,
  mode: 0o100644,
  nlink: 2,
  uid: 5,
  gid: 6,
  rdev: 7,
  sizeBytes: 0x2_0000_0003,
  blocks: 9,
  blockSize: 4096,
  atimeNs: -1n,
  mtimeNs: 1_600_000_000_123_456_789n,
  ctimeNs: 0n,
};

describe("ReplyMessage", () => {
  test("begins with its length, the errno and the number of the request", () => {
    const reply = new ReplyMessage(4096);
    expect(reply.finish(2, 1, -5, 8)).toBe(24);
    expect(reply.bytes.readUInt32LE(0)).toBe(24);
    expect(reply.bytes.readInt32LE(4)).toBe(-5);
    expect(reply.bytes.readBigUInt64LE(8)).toBe(0x1_0000_0002n);
  });

  test("writes attributes where linux/fuse.h has them", () => {
    const reply = new ReplyMessage(4096);
    reply.attributes(0, ATTRIBUTES);
    const attr = reply.bytes.subarray(OUT_HEADER_BYTES + 16, OUT_HEADER_BYTES + ATTR_OUT_BYTES);
    expect(attr.readBigUInt64LE(0)).toBe(ATTRIBUTES.ino);
    expect(attr.readBigUInt64LE(8)).toBe(0x2_0000_0003n);
    expect(attr.readBigUInt64LE(16)).toBe(9n);
    // One nanosecond before 1970 is the last one of the second before.
    expect([attr.readBigInt64LE(24), attr.readUInt32LE(48)]).toEqual([-1n, 999_999_999]);
    expect([attr.readBigInt64LE(32), attr.readUInt32LE(52)]).toEqual([1_600_000_000n, 123_456_789]);
    expect([attr.readBigInt64LE(40), attr.readUInt32LE(56)]).toEqual([0n, 0]);
    const words = [60, 64, 68, 72, 76, 80, 84].map((offset) => attr.readUInt32LE(offset));
    expect(words).toEqual([0o100644, 2, 5, 6, 7, 4096, 0]);
  });

  test("overwrites all of what an earlier answer left, so that absence is absence", () => {
    const reply = new ReplyMessage(4096);
    reply.bytes.fill(0xff);
    reply.entry(0, 42, ATTRIBUTES);
    expect(reply.bytes.readBigUInt64LE(OUT_HEADER_BYTES)).toBe(42n);
    expect(reply.bytes.readBigUInt64LE(OUT_HEADER_BYTES + 8)).toBe(0n);
    reply.absence(0);
    const entry = reply.bytes.subarray(OUT_HEADER_BYTES, OUT_HEADER_BYTES + ENTRY_BYTES);
    expect(entry.readBigUInt64LE(0)).toBe(0n);
    expect(entry.readBigUInt64LE(16)).toBeGreaterThan(0n);
    expect(entry.subarray(24).every((byte) => byte === 0)).toBe(true);
  });

  test("fills a name up with zeros, and no further", () => {
    const reply = new ReplyMessage(4096);
    reply.bytes.fill(0xff);
    reply.padded(8, Buffer.from("name"), 8);
    const written = reply.bytes.subarray(OUT_HEADER_BYTES + 7, OUT_HEADER_BYTES + 17);
    expect(written.toString("latin1")).toBe("\u00ffname\0\0\0\0\u00ff");
  });
});
