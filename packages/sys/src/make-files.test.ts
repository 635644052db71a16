import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { type FileToMake, makeFiles } from "./make-files.ts";
import { native } from "./native/load.ts";
import { fstatat } from "./stat.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import { lgetxattr } from "./xattr.ts";

const encoder = new TextEncoder();
const isRoot = process.getuid?.() === 0;

function file(name: string, more: Partial<FileToMake> = {}): FileToMake {
  const content = more.content ?? encoder.encode(`content of ${name}`);
  return {
    name: encoder.encode(name),
    mode: 0o644,
    uid: process.getuid!(),
    gid: process.getgid!(),
    mtimeNs: 1_700_000_000_123_456_789n,
    content,
    sizeBytes: content.length,
    mark: encoder.encode("mark"),
    ...more,
  };
}

test("makeFiles() makes each with all that it is to have, and tells which it could not make", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("there"), "as it was");
  const fd = openSync(directory.path, "r");
  try {
    const before = { mode: 0o7777, mtimeNs: -1_500_000_000n };
    const owner = { uid: isRoot ? 1234 : process.getuid!(), mode: 0o4755 };
    const made = makeFiles(fd, "user.mark", [
      file("a", owner),
      file("there"),
      file("no/such/directory"),
      file("ä", before),
      file("hole", { content: new Uint8Array(), sizeBytes: 10_000 }),
      file("n".repeat(256)),
    ]);
    expect(made).toEqual([true, false, false, true, true, false]);
    expect(readdirSync(directory.path).toSorted()).toEqual(["a", "hole", "there", "ä"].toSorted());
    expect(readFileSync(directory.join("a"), "utf8")).toBe("content of a");
    expect(readFileSync(directory.join("there"), "utf8")).toBe("as it was");
    expect(statSync(directory.join("hole"))).toMatchObject({ size: 10_000, blocks: 0 });
    expect(lgetxattr(directory.join("ä"), "user.mark")?.toString()).toBe("mark");
    const [a, other] = ["a", "ä"].map((name) => fstatat(fd, name));
    const mtimeNs = 1_700_000_000_123_456_789n;
    expect(a).toMatchObject({ mtimeNs, uid: owner.uid, mode: 0o104_755 });
    expect(other).toMatchObject({ mode: 0o107_777, mtimeNs: -1_500_000_000n });
  } finally {
    closeSync(fd);
  }
});

test("makeFiles() leaves nothing of a file that it cannot complete", () => {
  using directory = temporaryDirectory();
  const fd = openSync(directory.path, "r");
  try {
    // No file may have an attribute of such a name.
    expect(makeFiles(fd, "nonsense.mark", [file("a")])).toEqual([false]);
    expect(readdirSync(directory.path)).toEqual([]);
    expect(makeFiles(fd, "user.mark", [])).toEqual([]);
    const marks = [file("a"), file("b", { mark: encoder.encode("longer") })];
    expect(() => makeFiles(fd, "user.mark", marks)).toThrow("their marks differ");
  } finally {
    closeSync(fd);
  }
});

test("makeFiles() refuses what would read or write beyond its buffers", () => {
  const [name, wanted, one] = [Uint8Array.of(97, 0), new Uint8Array(48), new Uint8Array(1)];
  const call = (names: Uint8Array, stats: Uint8Array, length: number, errors: Uint8Array) =>
    native().makeFiles(-1, names, stats, [one], "user.a", one, length, errors);
  expect(call(name.subarray(0, 1), wanted, 1, one)).toBe(-22);
  expect(call(name, wanted.subarray(8), 1, one)).toBe(-22);
  expect(call(name, wanted, 2, one)).toBe(-22);
  expect(call(name, wanted, 1, new Uint8Array(2))).toBe(-22);
  const noBytes = [1] as unknown as Uint8Array[];
  expect(() => native().makeFiles(-1, name, wanted, noBytes, "user.a", one, 1, one)).toThrow(
    "it is not a Uint8Array",
  );
});
