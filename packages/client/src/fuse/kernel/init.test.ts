import { describe, expect, test } from "vitest";

import { answerInit, MAX_WRITE_BYTES } from "./init.ts";
import { IN_HEADER_BYTES, INIT_BIT, OUT_HEADER_BYTES } from "./protocol.ts";
import { ReplyMessage } from "./reply-message.ts";
import { RequestMessage } from "./request-message.ts";

function init(minor: number, offered: bigint): RequestMessage {
  const request = new RequestMessage(4096);
  const body = request.bytes.subarray(IN_HEADER_BYTES);
  body.writeUInt32LE(7, 0);
  body.writeUInt32LE(minor, 4);
  body.writeUInt32LE(131_072, 8);
  body.writeUInt32LE(Number(offered & 0xffff_ffffn), 12);
  body.writeUInt32LE(Number(offered >> 32n), 16);
  request.received(IN_HEADER_BYTES + 64);
  return request;
}

const EVERYTHING = (1n << 42n) - 1n;

function flagsOf(reply: ReplyMessage): bigint {
  const body = reply.bytes.subarray(OUT_HEADER_BYTES);
  return BigInt(body.readUInt32LE(12)) | (BigInt(body.readUInt32LE(32)) << 32n);
}

const has = (flags: bigint, name: keyof typeof INIT_BIT): boolean =>
  (flags & (1n << BigInt(INIT_BIT[name]))) !== 0n;

describe("answerInit()", () => {
  test("takes what it wants of what is offered, and nothing else", () => {
    const reply = new ReplyMessage(4096);
    const { bodyBytes, agreement } = answerInit(init(45, EVERYTHING), reply, 1);
    expect(bodyBytes).toBe(64);
    expect(agreement).toEqual({
      minor: 40,
      hasPassthrough: true,
      hasSetxattrFlags: true,
      hasDirectMappings: true,
    });
    const flags = flagsOf(reply);
    expect(has(flags, "PASSTHROUGH")).toBe(true);
    expect(has(flags, "HANDLE_KILLPRIV_V2")).toBe(true);
    // POSIX locks (1) and write-back caching (16) stay the kernel's own affair.
    for (const bit of [1n, 16n]) expect(flags & (1n << bit)).toBe(0n);
    const body = reply.bytes.subarray(OUT_HEADER_BYTES);
    expect(body.readUInt32LE(20)).toBe(MAX_WRITE_BYTES);
    expect(body.readUInt32LE(36)).toBe(1);
  });

  test("goes without what an older kernel does not offer", () => {
    const reply = new ReplyMessage(4096);
    const missing = [INIT_BIT.PASSTHROUGH, INIT_BIT.DIRECT_IO_ALLOW_MMAP];
    const without = missing.reduce((flags, bit) => flags & ~(1n << BigInt(bit)), EVERYTHING);
    const { agreement } = answerInit(init(38, without), reply, 1);
    expect(agreement).toEqual({
      minor: 38,
      hasPassthrough: false,
      hasSetxattrFlags: true,
      hasDirectMappings: false,
    });
    expect(reply.bytes.readUInt32LE(OUT_HEADER_BYTES + 36)).toBe(0);
  });

  test("asks for no passthrough where it is switched off", () => {
    const reply = new ReplyMessage(4096);
    expect(answerInit(init(45, EVERYTHING), reply, 0).agreement.hasPassthrough).toBe(false);
    expect(has(flagsOf(reply), "PASSTHROUGH")).toBe(false);
  });

  test("refuses a kernel that is too old, and says which it is", () => {
    const reply = new ReplyMessage(4096);
    expect(() => answerInit(init(31, EVERYTHING), reply, 1)).toThrow("FUSE 7.31");
  });
});
