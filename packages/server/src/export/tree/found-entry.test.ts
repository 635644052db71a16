import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { lsetxattr } from "@izo/sys";
import { expect, test } from "vitest";

import { temporaryDirectory } from "../../testing/temporary-export.ts";
import { readXattrs } from "./found-entry.ts";

test("readXattrs() takes capabilities that the kernel cannot read for none", async () => {
  await using temporary = await temporaryDirectory();
  const path = join(temporary.dir, "a");
  await writeFile(path, "");
  lsetxattr(path, "user.a", Buffer.from("1"));
  lsetxattr(path, "security.capability", Buffer.alloc(0));
  expect([...readXattrs(Buffer.from(path)).keys()]).toEqual(["user.a"]);
});
