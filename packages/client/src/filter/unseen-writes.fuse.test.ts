import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  openSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { hasWriter } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ServedCache } from "../testing/served-cache.ts";

const writeMappedSource = fileURLToPath(new URL("../../testing/write-mapped.c", import.meta.url));

let served: ServedCache;
let file = "";

beforeEach(async () => {
  served = await ServedCache.start("kernel");
  file = join(served.mountPoint, "f");
  writeFileSync(file, "0".repeat(4096));
  if ((await served.pending()).length !== 2) throw new Error("the file is not logged as expected");
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

/** What was logged since the file was made. */
const logged = async (): Promise<string[]> => (await served.pending()).slice(2);

describe("[D9] where the kernel writes past the daemon", () => {
  test("a file that was opened for writing and not written to is not logged", async () => {
    const { ctimeMs } = statSync(file);
    closeSync(openSync(file, "r+"));
    expect(await logged()).toEqual([]);
    expect(statSync(file).ctimeMs).toBe(ctimeMs);
  });

  test("the last close after a write is logged, and none without one", async () => {
    const fd = openSync(file, "r+");
    writeSync(fd, "1");
    // One who has a copy of the descriptor ends: nothing is sealed while others can write.
    execFileSync("true", { stdio: [fd, "ignore", "ignore"], timeout: 10_000 });
    expect(await logged()).toEqual([]);
    closeSync(fd);
    expect(await logged()).toEqual(["CLOSE /f"]);
    const again = openSync(file, "r+");
    closeSync(again);
    expect(await logged()).toEqual(["CLOSE /f"]);
  });

  test("what is closed is logged before what is done next, however much is closed at once", async () => {
    // More than a kernel lets wait by itself that nobody waits for.
    const names = Array.from({ length: 300 }, (_, index) => `${file}-${index}`);
    const opened = names.map((name) => openSync(name, "w"));
    for (const fd of opened) writeSync(fd, "written");
    await served.held(async () => {
      for (const fd of opened) closeSync(fd);
      const { pid } = spawn("mkdir", [`${file}-flag`], { stdio: "ignore", timeout: 10_000 });
      const waitsFor = (): string => readFileSync(`/proc/${pid}/wchan`, "utf8");
      await expect.poll(waitsFor, { timeout: 10_000 }).toMatch(/request|fuse/);
    });
    await expect.poll(logged, { timeout: 10_000 }).toContain("MKDIR /f-flag");
    const all = await logged();
    expect(all.filter((what) => what.startsWith("CLOSE"))).toHaveLength(300);
    expect(all.at(-1)).toBe("MKDIR /f-flag");
  });

  test("a time that is set while it is open hides no write, and is none", async () => {
    const fd = openSync(file, "r+");
    utimesSync(file, 1, 1);
    closeSync(fd);
    expect(await logged()).toEqual(["SETATTR /f"]);
    const { mtimeMs } = statSync(file);
    const again = openSync(file, "r+");
    writeSync(again, "1");
    utimesSync(file, 1, 1);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
    closeSync(again);
    expect(await logged()).toEqual(["SETATTR /f", "CLOSE /f"]);
  });

  test("a mapping that outlives its descriptor is logged when it ends, with all that it wrote", async () => {
    const program = join(served.base, "write-mapped");
    execFileSync("cc", ["-o", program, writeMappedSource], { timeout: 30_000 });
    const writer = spawn(program, [file], { stdio: ["pipe", "pipe", "inherit"], timeout: 60_000 });
    try {
      expect(String((await once(writer.stdout, "data"))[0])).toBe("ready\n");
      expect(await logged()).toEqual(["CLOSE /f"]);
      // Longer than the kernel takes to let go of a descriptor of its own.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      writer.stdin.write("\n");
      expect(String((await once(writer.stdout, "data"))[0])).toBe("written\n");
      const ended = once(writer, "exit");
      writer.stdin.end();
      await ended;
      await expect.poll(logged, { timeout: 10_000 }).toEqual(["CLOSE /f", "CLOSE /f"]);
      expect(readFileSync(file, "utf8").startsWith("20")).toBe(true);
    } finally {
      writer.kill();
    }
  });

  test("nobody counts as its writer once it is closed, whoever reads it from before on", async () => {
    const stored = openSync(join(served.cacheDir, "tree/f"), "r");
    const fd = openSync(file, "r+");
    writeSync(fd, "1");
    expect(readFileSync(file, "utf8").startsWith("10")).toBe(true);
    const reader = openSync(file, "r");
    expect(hasWriter(stored)).toBe(true);
    closeSync(fd);
    await expect.poll(() => hasWriter(stored), { timeout: 5_000 }).toBe(false);
    closeSync(reader);
    const again = openSync(file, "r+");
    readFileSync(file);
    closeSync(again);
    await expect.poll(() => hasWriter(stored), { timeout: 5_000 }).toBe(false);
    closeSync(stored);
  });

  test("kill -9 in the middle loses nothing that was written", async () => {
    const fd = openSync(file, "r+");
    writeSync(fd, "never closed");
    await served.stop("SIGKILL");
    closeSync(fd);
    await served.start();
    expect(readFileSync(file, "utf8").startsWith("never closed0")).toBe(true);
    expect(await logged()).toEqual(["CLOSE /f"]);
  });
});
