import { writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { AT_FDCWD } from "./path.ts";
import { renameat2 } from "./rename.ts";
import { SysError } from "./sys-error.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import { utimens } from "./times.ts";

test("a SysError reads like Node's own errors", () => {
  using directory = temporaryDirectory();
  const error = errorOf(() => renameat2(directory.fd, "a", directory.fd, "b"));
  expect(error).toMatchObject({
    name: "SysError",
    message: "ENOENT: no such file or directory, renameat2 'a' -> 'b'",
    code: "ENOENT",
    errno: -2,
    syscall: "renameat2",
    path: "a",
    dest: "b",
  });
});

test.each([
  [-117, "EUCLEAN: structure needs cleaning, x"],
  [-122, "EDQUOT: disk quota exceeded, x"],
  [-62, "ETIME: system error 62, x"],
  [-4000, "E4000: system error 4000, x"],
])("a SysError names errno %d also where Node does not", (errno, message) => {
  expect(new SysError(errno, "x").message).toBe(message);
});

test("a SysError keeps control characters out of its message", () => {
  expect(new SysError(-2, "x", "a\n\u001b[31m").message).toBe(
    "ENOENT: no such file or directory, x 'a\\x0a\\x1b[31m'",
  );
});

test.each([
  { description: "NUL in a string", name: "a\0b", code: "EINVAL" },
  { description: "NUL in bytes", name: Buffer.from("a\0b"), code: "EINVAL" },
  { description: "a name of 256 bytes", name: "x".repeat(256), code: "ENAMETOOLONG" },
  {
    description: "a name of 256 bytes in 128 characters",
    name: "ä".repeat(128),
    code: "ENAMETOOLONG",
  },
  { description: "a path of 4,096 bytes", name: "x/".repeat(2048), code: "ENAMETOOLONG" },
  {
    description: "a path of 4,096 bytes, as bytes",
    name: Buffer.alloc(4096, "x/"),
    code: "ENAMETOOLONG",
  },
  {
    description: "a path cut inside a character",
    name: `x${"€".repeat(2000)}`,
    code: "ENAMETOOLONG",
  },
  { description: "nothing", name: "", code: "ENOENT" },
])("a name is refused before it means another: $description", ({ name, code }) => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("a"), "");
  expect(errorOf(() => renameat2(directory.fd, name, directory.fd, "b")).code).toBe(code);
});

test("a path of 4,095 bytes is let through to the kernel", () => {
  const path = `${"./".repeat(2047)}.`;
  expect(path).toHaveLength(4095);
  expect(errorOf(() => renameat2(AT_FDCWD, path, AT_FDCWD, path)).code).toBe("EBUSY");
});

test.each([
  { description: "a descriptor that is NaN", call: () => renameat2(Number.NaN, "a", 0, "b") },
  { description: "a fraction of a descriptor", call: () => renameat2(0.5, "a", 0, "b") },
  { description: "a descriptor beyond 32 bits", call: () => renameat2(2 ** 32, "a", 0, "b") },
  { description: "a path that is none", call: () => renameat2(-1, 7 as unknown as string, 0, "b") },
  { description: "a time beyond 64 bits of seconds", call: () => utimens("/", 10n ** 40n, 0n) },
])("an argument that the kernel would misread is a TypeError: $description", ({ call }) => {
  expect(call).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }));
});
