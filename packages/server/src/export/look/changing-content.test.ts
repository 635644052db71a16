import { hash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Sha256 } from "@izo/core";
import { expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";

const hashOf = (text: string): Sha256 => hash("sha256", text) as Sha256;

/** Goes on writing to a file, so that it is never quiet. */
function startWriting(path: string): { stop(): void } & Disposable {
  const fd = openSync(path, "w");
  const timer = setInterval(() => writeSync(fd, "more\n"), 5);
  const stop = (): void => {
    clearInterval(timer);
    closeSync(fd);
  };
  let isStopped = false;
  const stopOnce = (): void => {
    if (!isStopped) stop();
    isStopped = true;
  };
  writeSync(fd, "more\n");
  return { stop: stopOnce, [Symbol.dispose]: stopOnce };
}

it("[S5] openContent() waits for the record of a file that a local program is writing to", async () => {
  await using temporary = await temporaryDirectory();
  await using exported = await openTestExport(temporary.dir);
  await writeFile(join(temporary.dir, "f"), "first");
  await expect.poll(() => exported.lookUp("/f")?.object.sha256).toBe(hashOf("first"));
  using writing = startWriting(join(temporary.dir, "f"));
  const asked = exported.openContent(hashOf("first"));
  setTimeout(() => writing.stop(), 300);
  const found = await asked;
  expect(found).toEqual({ kind: "superseded", recno: exported.headPosition.recno });
  expect(exported.lookUp("/f")?.object.sha256).not.toBe(hashOf("first"));
});

it("[S5] openContent() names the next record where the program does not end", async () => {
  await using temporary = await temporaryDirectory();
  await using exported = await openTestExport(temporary.dir);
  await writeFile(join(temporary.dir, "f"), "first");
  await expect.poll(() => exported.lookUp("/f")?.object.sha256).toBe(hashOf("first"));
  const { recno } = exported.headPosition;
  using writing = startWriting(join(temporary.dir, "f"));
  const found = await exported.openContent(hashOf("first"));
  writing.stop();
  expect(found).toEqual({ kind: "superseded", recno: recno + 1 });
});

it("[S4] openContent() knows no file of a removal that is held, and waits for none", async () => {
  await using temporary = await temporaryDirectory();
  const { dir } = temporary;
  await mkdir(join(dir, "d"));
  for (let index = 0; index < 30; index += 1) await writeFile(join(dir, `d/${index}`), "held");
  {
    await using exported = await openTestExport(dir);
    expect((await exported.openContent(hashOf("held")))?.kind).toBe("open");
  }
  await rm(join(dir, "d"), { recursive: true });
  await using exported = await openTestExport(dir);
  expect(exported.status().heldRemoval).not.toBeNull();
  expect(await exported.openContent(hashOf("held"))).toBeNull();
});
