/**
 * The settings of a mount on disk: `settings.json` in the cache directory, so that they outlive the mount
 * and the machine's restart. Only the process that holds the cache's lock writes it. It is replaced as a
 * whole: a crash leaves the settings before a change, or those after it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { IzoError } from "@izo/core";
import { replaceFile } from "@izo/sys";
import { z } from "zod";

import {
  DEFAULT_SETTINGS,
  type MountSettings,
  type SettingsChange,
  settingsChangeSchema,
} from "./mount-settings.ts";

/** The cache's `settings.json` is not what this version writes. */
export class InvalidSettingsError extends IzoError {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(
      "invalid-settings",
      `Cannot use the settings "${path}": ${reason}`,
      { path, reason },
      options,
    );
  }
}

export class SettingsFile {
  readonly #path: string;
  #settings: MountSettings;

  /** Reads the settings of a cache; one without any has the defaults. @throws InvalidSettingsError */
  constructor(cacheDir: string) {
    this.#path = join(cacheDir, "settings.json");
    this.#settings = readSettings(cacheDir);
  }

  get settings(): MountSettings {
    return this.#settings;
  }

  /** Notes a change, durably, before it counts. @throws the disk's errors: then nothing has changed */
  change(change: SettingsChange): MountSettings {
    const next = { ...this.#settings, ...change };
    replaceFile(this.#path, `${JSON.stringify(next, null, 2)}\n`);
    this.#settings = next;
    return next;
  }
}

/** The settings of a cache as they are on disk. @throws InvalidSettingsError */
export function readSettings(cacheDir: string): MountSettings {
  return { ...DEFAULT_SETTINGS, ...readChange(join(cacheDir, "settings.json")) };
}

/** What the file says; a setting that it does not know yet has its default. */
function readChange(path: string): SettingsChange {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidSettingsError(path, "it is no JSON", { cause });
  }
  const parsed = settingsChangeSchema.safeParse(value);
  if (!parsed.success) throw new InvalidSettingsError(path, z.prettifyError(parsed.error));
  return parsed.data as SettingsChange;
}
