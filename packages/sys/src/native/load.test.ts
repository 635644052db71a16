import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

import { expect, test } from "vitest";

import { temporaryDirectory } from "../testing/temporary-directory.ts";
import { loadAddon } from "./load.ts";
import { nativeTarget } from "./target.ts";

test("loadAddon() names the command that builds what is missing", () => {
  using directory = temporaryDirectory();
  expect(() => loadAddon(`${directory.path}/`, "linux-riscv64-musl")).toThrow(
    expect.objectContaining({
      code: "ERR_IZO_SYS_NOT_BUILT",
      message:
        `Cannot load the native part of @izo/sys: there is no "${directory.path}/prebuilds/linux-riscv64-musl/izo-sys.node"; ` +
        "run `pnpm --filter @izo/sys build:native`, a C compiler is all it needs",
    }),
  );
});

test("loadAddon() gives the loader's reason for a file that does not load", () => {
  using directory = temporaryDirectory();
  mkdirSync(directory.join("prebuilds/damaged"), { recursive: true });
  writeFileSync(directory.join("prebuilds/damaged/izo-sys.node"), "not an addon");
  expect(() => loadAddon(`${directory.path}/`, "damaged")).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("does not load"),
      cause: expect.objectContaining({ code: "ERR_DLOPEN_FAILED" }),
    }),
  );
});

test("nativeTarget() names platform, architecture and C library", () => {
  expect(nativeTarget()).toMatch(/^linux-(x64|arm64|\w+)-(glibc|musl)$/);
});

test("native() loads in several threads of one process", async () => {
  const source = `
    const { fstatat } = await import(${JSON.stringify(new URL("../stat.ts", import.meta.url).href)});
    const { parentPort } = await import("node:worker_threads");
    parentPort.postMessage(fstatat(-100, "/").ino);
  `;
  const data = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const workers = [new Worker(data), new Worker(data)];
  const answers = await Promise.all(workers.map((worker) => once(worker, "message")));
  expect(answers[0]).toEqual(answers[1]);
  await Promise.all(workers.map((worker) => worker.terminate()));
});
