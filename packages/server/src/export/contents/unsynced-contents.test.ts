import { hash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Sha256 } from "@izo/core";
import { expect, test } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { UnsyncedContents } from "./unsynced-contents.ts";

const [A, B] = ["a", "b"].map((text) => hash("sha256", text) as Sha256) as [Sha256, Sha256];

test("[S1] UnsyncedContents has who logs a content wait until the disk has it, and nobody else", async () => {
  const contents = new UnsyncedContents();
  const { promise, resolve } = Promise.withResolvers<void>();
  contents.add(A, promise);
  await contents.whenSynced([B]);
  let isSynced = false;
  const waiting = contents.whenSynced([B, A]).then(() => (isSynced = true));
  await new Promise(setImmediate);
  expect(isSynced).toBe(false);
  resolve();
  await waiting;
  await contents.whenSynced([A]);
});

test("[S1] UnsyncedContents tells of a failed sync also who comes later, once", async () => {
  const contents = new UnsyncedContents();
  contents.add(A, Promise.reject(new Error("EIO")));
  await new Promise(setImmediate);
  await expect(contents.whenSynced([A])).rejects.toThrow("EIO");
  // It was dropped, and comes again.
  await contents.whenSynced([A]);
});

test("[S1] at start a small content goes that a power cut has left under its hash with other bytes", async () => {
  await using directory = await temporaryDirectory();
  const staging = async (): Promise<string> => {
    await using exported = await openTestExport(directory.dir);
    return join(exported.stateDirectory, "staging/contents");
  };
  const path = await staging();
  await writeFile(join(path, A), "a");
  await writeFile(join(path, B), "\0");
  await writeFile(join(path, `${B}.part`), "\0");
  await staging();
  expect((await readdir(path)).toSorted()).toEqual([A, `${B}.part`].toSorted());
});
