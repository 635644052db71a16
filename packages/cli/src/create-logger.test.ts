import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

const PROGRAM = `
  const { createLogger } = await import(${JSON.stringify(import.meta.resolve("./create-logger.ts"))});
  const logger = await createLogger("info", { stderr: {} });
  for (let line = 0; line < 1000; line++) logger.info({ line }, "${"x".repeat(1000)}");
  process.stdout.write("goes on " + (process.memoryUsage().heapUsed < 50e6));
`;

function runWithLogOn(path: string): { readonly status: number | null; readonly stdout: string } {
  const fd = openSync(path, "a");
  try {
    const options = ["--conditions=izo:source", "--input-type=module", "--eval", PROGRAM];
    const stdio = ["ignore", "pipe", fd] as const;
    const ended = spawnSync(process.execPath, options, { stdio: [...stdio], encoding: "utf8" });
    return { status: ended.status, stdout: ended.stdout };
  } finally {
    closeSync(fd);
  }
}

test("createLogger() writes each line at once", () => {
  const directory = mkdtempSync(join(tmpdir(), "izo-log-"));
  try {
    expect(runWithLogOn(join(directory, "log"))).toEqual({ status: 0, stdout: "goes on true" });
    expect(readFileSync(join(directory, "log"), "utf8").trim().split("\n")).toHaveLength(1000);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("createLogger() ends nothing where its disk is full", () => {
  expect(runWithLogOn("/dev/full")).toEqual({ status: 0, stdout: "goes on true" });
});
