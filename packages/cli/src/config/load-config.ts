import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { IzoError } from "@izo/core";
import { z } from "zod";

import { type Config, configSchema } from "./config-schema.ts";

/** The configuration file cannot be used. */
export class InvalidConfigError extends IzoError {
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(
      "invalid-config",
      `Cannot use the configuration ${JSON.stringify(file)}: ${reason}`,
      { file },
      options,
    );
  }
}

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
export function loadConfig(sources: ConfigSources): Config {
  const { named } = sources;
  if (named !== undefined) {
    const text = readIfThere(named);
    if (text === undefined) throw new InvalidConfigError(named, "there is no such file");
    return parseConfig(named, text);
  }
  for (const file of defaultConfigFiles(sources)) {
    const text = readIfThere(file);
    if (text !== undefined) return parseConfig(file, text);
  }
  return {};
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

function parseConfig(file: string, text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidConfigError(file, "it is not JSON", { cause });
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined ? "" : z.core.toDotPath(issue.path);
  throw new InvalidConfigError(
    file,
    `${place === "" ? "" : `${place}: `}${issue?.message ?? "it is not a configuration"}`,
  );
}
