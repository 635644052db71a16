import { expect, test } from "vitest";

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

test("ByteWriter keeps every field, wherever its buffer has to grow", () => {
  const id = "0123456789abcdef".repeat(2);
  for (let padding = 4096 - 120; padding <= 4096; padding += 1) {
    const w = new ByteWriter();
    w.raw(new Uint8Array(padding));
    w.u8(1, "a");
    w.u16(2, "b");
    w.u32(3, "c");
    w.u53(2 ** 53 - 1, "d");
    w.i64(-5n, "e");
    w.hex(id, 16, "f");
    w.text8("short", "g");
    w.text32("é".repeat(20));
    const r = new ByteReader(w.bytes, padding, w.length);
    const read = [r.u8(), r.u16(), r.u32(), r.u53("d"), r.i64(), r.id(), r.text8(), r.text32()];
    expect(read).toEqual([1, 2, 3, 2 ** 53 - 1, -5n, id, "short", "é".repeat(20)]);
    expect(r.remaining).toBe(0);
  }
});
