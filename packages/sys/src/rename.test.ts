import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { AT_FDCWD } from "./path.ts";
import { readDirectory } from "./read-directory.ts";
import { renameat2 } from "./rename.ts";
import { supportsExchange } from "./supports-exchange.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test("renameat2() replaces by default and refuses to with noReplace", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("a"), "a");
  writeFileSync(directory.join("b"), "b");
  const taken = errorOf(() => renameat2(directory.fd, "a", directory.fd, "b", { noReplace: true }));
  expect(taken.code).toBe("EEXIST");
  expect(readFileSync(directory.join("b"), "utf8")).toBe("b");
  renameat2(directory.fd, "a", directory.fd, "b");
  expect(readFileSync(directory.join("b"), "utf8")).toBe("a");
  expect(existsSync(directory.join("a"))).toBe(false);
});

test("renameat2() with exchange swaps two names across directories", () => {
  using one = temporaryDirectory();
  using other = temporaryDirectory();
  writeFileSync(one.join("a"), "one");
  writeFileSync(other.join("b"), "other");
  renameat2(one.fd, "a", AT_FDCWD, other.join("b"), { exchange: true });
  expect(readFileSync(one.join("a"), "utf8")).toBe("other");
  expect(readFileSync(other.join("b"), "utf8")).toBe("one");
});

test("renameat2() with exchange needs both names", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("a"), "");
  const missing = errorOf(() =>
    renameat2(directory.fd, "a", directory.fd, "b", { exchange: true }),
  );
  expect(missing.code).toBe("ENOENT");
});

test("renameat2() refuses exchange together with noReplace", () => {
  using directory = temporaryDirectory();
  const options = { exchange: true, noReplace: true };
  expect(errorOf(() => renameat2(directory.fd, "a", directory.fd, "b", options)).code).toBe(
    "EINVAL",
  );
});

test("supportsExchange() agrees with an exchange and leaves nothing behind", () => {
  using directory = temporaryDirectory();
  expect(supportsExchange(directory.fd)).toBe(true);
  expect(readDirectory(directory.fd)).toEqual([]);
});

test("supportsExchange() says why it cannot ask", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  expect(errorOf(() => supportsExchange(-1)).code).toBe("EBADF");
});
