import { describe, expect, test } from "vitest";

import { IN_HEADER_BYTES } from "./protocol.ts";
import { RequestMessage } from "./request-message.ts";

/** A LOOKUP-like message of node 7 by uid 1000, gid 100, thread 4242, with `body` behind the header. */
function receive(body: Uint8Array): RequestMessage {
  const request = new RequestMessage(4096);
  const header = Buffer.alloc(IN_HEADER_BYTES);
  header.writeUInt32LE(IN_HEADER_BYTES + body.length, 0);
  header.writeUInt32LE(1, 4);
  header.writeBigUInt64LE(0x1_0000_0002n, 8);
  header.writeBigUInt64LE(7n, 16);
  header.writeUInt32LE(1000, 24);
  header.writeUInt32LE(100, 28);
  header.writeUInt32LE(4242, 32);
  // What an earlier, longer message left behind must not be read.
  request.bytes.fill(0x41);
  Buffer.concat([header, body]).copy(request.bytes);
  request.received(IN_HEADER_BYTES + body.length);
  return request;
}

describe("RequestMessage", () => {
  test("reads the header", () => {
    const request = receive(Buffer.alloc(0));
    expect(request.opcode).toBe(1);
    expect([request.uniqueLow, request.uniqueHigh]).toEqual([2, 1]);
    expect(request.node).toBe(7);
    expect(request.caller).toEqual({ uid: 1000, gid: 100, pid: 4242 });
  });

  test("reads integers, negative ones and those beyond 32 bits too", () => {
    const body = Buffer.alloc(24);
    body.writeBigUInt64LE(0x12_3456_789an, 0);
    body.writeBigInt64LE(-5n, 8);
    body.writeUInt32LE(0xffff_ffff, 16);
    const request = receive(body);
    expect(request.u64(0)).toBe(0x12_3456_789a);
    expect(request.i64(8)).toBe(-5n);
    expect(request.u32(16)).toBe(0xffff_ffff);
  });

  test("reads one name after the other, with bytes that are not UTF-8", () => {
    const request = receive(Buffer.from([0x61, 0, 0xff, 0x62, 0]));
    const first = request.name(0);
    expect(first).toEqual({ name: "a", next: 2 });
    expect(request.name(first.next).next).toBe(5);
    expect(request.name(first.next).name).not.toBe("\u{fffd}b");
  });

  test("refuses names of over 255 bytes, with the errno that a local file system has for them", () => {
    const request = receive(Buffer.from(`${"n".repeat(256)}\0`));
    expect(() => request.name(0)).toThrow(expect.objectContaining({ code: "ENAMETOOLONG" }));
    expect(receive(Buffer.from(`${"n".repeat(255)}\0`)).name(0).name).toHaveLength(255);
  });

  test("ends with its message, not with its buffer", () => {
    const request = receive(Buffer.from("value"));
    expect(request.slice(0).toString()).toBe("value");
    expect(request.slice(1, 100).toString()).toBe("alue");
    expect(request.text(0).text).toBe("value");
  });
});
