import { constants } from "node:fs";

import { expect, test } from "vitest";

import { majorOf, makeDevice, minorOf } from "./device-number.ts";
import { mknod, mknodat } from "./mknod.ts";
import { fstatat } from "./stat.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test.each([
  { description: "FIFO", type: constants.S_IFIFO },
  { description: "socket", type: constants.S_IFSOCK },
  { description: "regular file", type: constants.S_IFREG },
])("mknodat() makes a $description", ({ type }) => {
  using directory = temporaryDirectory();
  mknodat(directory.fd, "node", type | 0o600);
  expect(fstatat(directory.fd, "node")).toMatchObject({ mode: type | 0o600, rdev: 0 });
});

test("mknod() refuses a name that is taken", () => {
  using directory = temporaryDirectory();
  mknod(directory.join("fifo"), constants.S_IFIFO | 0o600);
  expect(errorOf(() => mknod(directory.join("fifo"), constants.S_IFIFO | 0o600)).code).toBe(
    "EEXIST",
  );
});

test.runIf(process.getuid?.() === 0)("fstatat() reads the device that mknod() made", () => {
  using directory = temporaryDirectory();
  const device = makeDevice(0x123, 0x45678);
  mknod(directory.join("device"), constants.S_IFCHR | 0o600, device);
  const { mode, rdev } = fstatat(directory.fd, "device");
  expect(mode).toBe(constants.S_IFCHR | 0o600);
  expect([majorOf(rdev), minorOf(rdev)]).toEqual([0x123, 0x45678]);
});
