import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { createFile, makeDirectory, TestPeer } from "../../testing/test-peer.ts";

const NOBODY = 65_534;

/** Goes on without the rights of root, which reads everything; one who is not root has none to lose. */
function dropRoot(): Disposable {
  const euid = process.geteuid!();
  if (euid === 0) process.seteuid!(NOBODY);
  return {
    [Symbol.dispose]: () => {
      if (euid === 0) process.seteuid!(euid);
    },
  };
}

/** A directory that is open to the user whom {@link dropRoot} leaves. */
async function openDirectory(): Promise<AsyncDisposable & { readonly dir: string }> {
  const temporary = await temporaryDirectory();
  await chmod(temporary.dir, 0o777);
  return temporary;
}

describe("an export of what its server may not read", () => {
  it("names a file as a problem, logs the others, and drops the problem when it is fine", async () => {
    await using temporary = await openDirectory();
    const { dir } = temporary;
    using _ = dropRoot();
    await writeFile(join(dir, "closed"), "closed", { mode: 0o000 });
    await writeFile(join(dir, "open"), "open");
    await using exported = await openTestExport(dir);
    expect(exported.lookUp("/open")).not.toBeNull();
    expect(exported.lookUp("/closed")).toBeNull();
    expect(exported.status().problems.map(({ path }) => path)).toEqual(["/closed"]);
    await chmod(join(dir, "closed"), 0o600);
    await expect.poll(() => exported.lookUp("/closed")).not.toBeNull();
    expect(exported.status().problems).toEqual([]);
  });

  it("takes nothing in a directory that it may not read for removed [S4]", async () => {
    await using temporary = await openDirectory();
    const { dir } = temporary;
    using _ = dropRoot();
    await mkdir(join(dir, "d"));
    await writeFile(join(dir, "d/f"), "f");
    await using exported = await openTestExport(dir);
    await chmod(join(dir, "d"), 0o000);
    await writeFile(join(dir, "marker"), "");
    await expect.poll(() => exported.lookUp("/marker")).not.toBeNull();
    expect(exported.lookUp("/d/f")).not.toBeNull();
    await chmod(join(dir, "d"), 0o700);
  });

  it("refuses what is to go into a directory that it may not write, and goes on [P3]", async () => {
    await using temporary = await openDirectory();
    const { dir } = temporary;
    using _ = dropRoot();
    await mkdir(join(dir, "d"));
    await using exported = await openTestExport(dir);
    await chmod(join(dir, "d"), 0o555);
    const peer = new TestPeer(exported);
    const { oid } = exported.lookUp("/d")!.object;
    const results = await peer.push(createFile("f", undefined, oid), makeDirectory("e"));
    expect(results.map(({ verdict, reason }) => reason ?? verdict)).toEqual([
      "not-storable",
      "applied",
    ]);
    expect(exported.status().problems.map(({ path }) => path)).toEqual(["/f"]);
  });
});
