import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import type { Config } from "./config-schema.ts";
import { InvalidConfigError } from "./invalid-config-error.ts";

/** Where a configuration may come from. */
export interface ConfigSources {
  /** Named by `--config` or `IZO_CONFIG`: it must exist. */
  readonly named: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the configuration: the named file, else `izo.config.json` in the working directory, else
 * `izo/config.json` under `$XDG_CONFIG_HOME` or `~/.config`. The first that exists counts alone; files
 * are not merged.
 *
 * @throws InvalidConfigError
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { named } = sources;
  if (named !== undefined) {
    const text = readIfThere(named);
    if (text === undefined) throw new InvalidConfigError(named, "there is no such file");
    return parse(named, text);
  }
  for (const file of defaultConfigFiles(sources)) {
    const text = readIfThere(file);
    if (text !== undefined) return parse(file, text);
  }
  return {};
}

/** Loads the schema, which takes longer than most commands, only where there is something to check by it. */
async function parse(file: string, text: string): Promise<Config> {
  const { parseConfig } = await import("./parse-config.ts");
  return parseConfig(file, text);
}

function defaultConfigFiles({ cwd, env }: ConfigSources): string[] {
  const home = env["XDG_CONFIG_HOME"] ?? join(env["HOME"] ?? homedir(), ".config");
  return [join(cwd, "izo.config.json"), join(home, "izo", "config.json")];
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new InvalidConfigError(file, cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}
