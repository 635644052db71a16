import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { lsetxattr, utimens } from "@izo/sys";
import { expect, test } from "vitest";

import { makeRealInput } from "./real-input.ts";
import { diffManifests, treeManifest } from "./tree-manifest.ts";
import { makeWorkDirectory } from "./work-directory.ts";

test("treeManifest() finds a copy equal, and every kind of difference", async () => {
  using work = makeWorkDirectory();
  const original = join(work.path, "original");
  const copy = join(work.path, "copy");
  await makeRealInput(original, { copies: 0 });
  execFileSync("cp", ["-a", original, copy]);
  const expected = await treeManifest(original);
  expect(diffManifests(expected, await treeManifest(copy))).toEqual([]);

  const changes: readonly (readonly [path: string, change: (file: string) => void])[] = [
    ["/odd/executable", (file) => chmodSync(file, 0o600)],
    ["/odd/owned", (file) => chownSync(file, 7, 7)],
    ["/odd/nanoseconds", (file) => utimens(file, "omit", 1_234_567_890_123_456_788n)],
    ["/odd/xattrs", (file) => lsetxattr(file, "user.colour", Buffer.from("green"))],
    ["/odd/hard-link-2", (file) => replaceBySame(file)],
    ["/odd/empty", (file) => writeFileSync(file, "x")],
    ["/odd/symlink", (file) => unlinkSync(file)],
  ];
  for (const [path, change] of changes) {
    change(join(copy, path));
    const found = diffManifests(expected, await treeManifest(copy)).join("\n");
    expect(found).toContain(`: ${path}`);
    execFileSync("rsync", ["-aXH", "--delete", "--checksum", `${original}/`, `${copy}/`]);
  }
});

/** The same content and attributes, but a file of its own. */
function replaceBySame(file: string): void {
  execFileSync("cp", ["-a", file, `${file}.new`]);
  execFileSync("mv", [`${file}.new`, file]);
}
