import { closeSync, fstatSync, readFileSync, readSync } from "node:fs";

import { expect, test } from "vitest";

import { setNonBlocking } from "./descriptor-channel.ts";
import { detachDeadWithHelper, FusermountError, mountWithHelper } from "./fusermount.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

const INIT = 26;

function mountLineOf(mountPoint: string): string | undefined {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return lines.find((line) => line.split(" ")[1] === mountPoint);
}

test("mountWithHelper() gives the connection of a mount, and detachDeadWithHelper() takes it out", () => {
  using directory = temporaryDirectory();
  const options = ["fsname=izo", "subtype=izo", "nosuid", "nodev", "default_permissions", "ro"];
  const fd = mountWithHelper(directory.path, options);
  try {
    expect(mountLineOf(directory.path)).toMatch(/^izo \S+ fuse\.izo ro,nosuid,nodev,/);
    expect(fstatSync(fd).isCharacterDevice()).toBe(true);
    const request = Buffer.alloc(64 * 1024);
    readSync(fd, request);
    // struct fuse_in_header: length u32, opcode u32.
    expect(request.readUInt32LE(4)).toBe(INIT);
    setNonBlocking(fd);
    expect(() => readSync(fd, request)).toThrow(/EAGAIN/);
  } finally {
    detachDeadWithHelper(directory.path);
    closeSync(fd);
  }
  expect(mountLineOf(directory.path)).toBeUndefined();
});

test("mountWithHelper() says what the helper says", () => {
  using directory = temporaryDirectory();
  const missing = directory.join("missing");
  expect(() => mountWithHelper(missing, ["fsname=izo"])).toThrow(FusermountError);
  expect(() => mountWithHelper(missing, ["fsname=izo"])).toThrow(/No such file or directory/);
});
