import { constants, writeSync } from "node:fs";

import { afterEach, beforeEach, expect, test } from "vitest";

import { CALLER, TestCache } from "../testing/test-cache.ts";

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
});

afterEach(() => cache[Symbol.asyncDispose]());

/** Makes a file that the kernel writes to past the mount's process; what sealing finds right after its close. */
function closeWritten(name: string, access: number): unknown {
  const { fd, node } = cache.fs.create(
    ...cache.place(`/${name}`),
    0o644,
    constants.O_CREAT | access,
    CALLER,
  );
  cache.fs.willWrite(node, fd, true);
  writeSync(fd, "text");
  cache.close(node, fd);
  const [close] = cache.replica.unsealed().slice(-1);
  if (close?.operation.opcode !== "CLOSE") throw new Error("the close is not logged");
  const { recno, operation } = close;
  const found = cache.local.content.openWritten({ recno, operation });
  if (typeof found === "string") return found;
  found[Symbol.dispose]();
  return "open";
}

test("[D9] a file that its program could map is watched when it is closed, and no other", () => {
  expect(closeWritten("mappable", constants.O_RDWR)).toBe("written");
  expect(closeWritten("written-only", constants.O_WRONLY)).toBe("open");
});
