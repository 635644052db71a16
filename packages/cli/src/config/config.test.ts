import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Command, Option } from "@commander-js/extra-typings";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { applyConfig } from "./apply-config.ts";
import { loadConfig } from "./load-config.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-config-"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string): string {
  const file = join(directory, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function load(named?: string) {
  return loadConfig({ named, cwd: directory, env: { XDG_CONFIG_HOME: join(directory, "xdg") } });
}

describe("loadConfig()", () => {
  test("gives an empty configuration where there is no file", async () => {
    expect(await load()).toEqual({});
  });

  test("prefers the named file to that of the directory to that of the user", async () => {
    write("xdg/izo/config.json", '{"mount":{"cache":"user"}}');
    expect(await load()).toEqual({ mount: { cache: "user" } });
    write("izo.config.json", '{"mount":{"cache":"directory"}}');
    expect(await load()).toEqual({ mount: { cache: "directory" } });
    expect(await load(write("other.json", '{"mount":{"cache":"named"}}'))).toEqual({
      mount: { cache: "named" },
    });
  });

  test("reads ages and sizes with their units, as the options do", async () => {
    write("izo.config.json", '{"serve":{"logMinAge":"2d","oldMaxSize":"1GiB","oldMaxCount":5}}');
    expect(await load()).toEqual({
      serve: { logMinAge: 172_800_000, oldMaxSize: 1_073_741_824, oldMaxCount: 5 },
    });
  });

  test.each([
    {
      description: "an age without a unit",
      text: '{"serve":{"logMinAge":"7"}}',
      reason: /serve\.logMinAge: .*number with a unit/,
    },
    { description: "no JSON", text: "{", reason: "it is not JSON" },
    { description: "an unknown word", text: '{"serve":{"port":1}}', reason: /serve: .*"port"/ },
    {
      description: "a size without a unit",
      text: '{"mount":{"cacheQuota":"10"}}',
      reason: /mount\.cacheQuota: .*number with a unit/,
    },
    {
      description: "a wrong value",
      text: '{"mount":{"mode":"fast"}}',
      reason: /mount\.mode: .*replica/,
    },
  ])("refuses $description and names the file", async ({ text, reason }) => {
    const file = write("bad.json", text);
    await expect(load(file)).rejects.toThrow(reason);
    await expect(load(file)).rejects.toThrow(`Cannot use the configuration "${file}"`);
  });

  test("refuses a named file that is missing", async () => {
    await expect(load(join(directory, "none.json"))).rejects.toThrow("there is no such file");
  });
});

/** Options of a command line, as applyConfig() leaves them. */
function parse(argv: string[], env?: string) {
  if (env !== undefined) vi.stubEnv("IZO_TEST_MODE", env);
  const command = new Command("mount")
    .addOption(new Option("--mode <mode>").env("IZO_TEST_MODE").default("on-demand"))
    .option("--cache <dir>");
  command.parse(argv, { from: "user" });
  applyConfig(command, { mount: { mode: "replica", cache: "configured" } });
  return command.opts();
}

describe("applyConfig()", () => {
  test("fills in what neither the command line nor the environment says", () => {
    expect(parse([])).toEqual({ mode: "replica", cache: "configured" });
  });

  test("leaves what the environment says", () => {
    expect(parse([], "from-env")).toEqual({ mode: "from-env", cache: "configured" });
  });

  test("leaves what the command line says, before the environment", () => {
    expect(parse(["--mode", "flag", "--cache", "c"], "from-env")).toEqual({
      mode: "flag",
      cache: "c",
    });
  });
});
