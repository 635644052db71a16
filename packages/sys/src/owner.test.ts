import { constants, symlinkSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { fchmodat, fchownat } from "./owner.ts";
import { fstatat } from "./stat.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test("fchmodat() sets the bits whatever the umask, and refuses a symlink with noFollow", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  symlinkSync("file", directory.join("link"));
  fchmodat(directory.fd, "file", 0o4777, { noFollow: true });
  expect(fstatat(directory.fd, "file").mode).toBe(constants.S_IFREG | 0o4777);
  expect(errorOf(() => fchmodat(directory.fd, "link", 0, { noFollow: true })).code).toBe("ENOTSUP");
});

test.runIf(process.getuid?.() === 0)(
  "fchownat() leaves what is -1, and with noFollow owns the symlink",
  () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("file"), "");
    symlinkSync("file", directory.join("link"));
    fchownat(directory.fd, "file", 4_294_967_294, -1);
    fchownat(directory.fd, "link", 12, 34, { noFollow: true });
    expect(fstatat(directory.fd, "file")).toMatchObject({ uid: 4_294_967_294, gid: 0 });
    expect(fstatat(directory.fd, "link", { noFollow: true })).toMatchObject({ uid: 12, gid: 34 });
  },
);
