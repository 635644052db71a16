import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { DEFAULT_SETTINGS } from "./mount-settings.ts";
import { InvalidSettingsError, SettingsFile } from "./settings-file.ts";

let cacheDir = "";

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "izo-settings-"));
});

afterEach(() => {
  rmSync(cacheDir, { recursive: true });
});

test("SettingsFile gives a new cache the defaults, and finds a change again", () => {
  const file = new SettingsFile(cacheDir);
  expect(file.settings).toEqual(DEFAULT_SETTINGS);
  file.change({ offlinePolicy: "wait" });
  file.change({ isForcedOffline: true });
  const again = new SettingsFile(cacheDir).settings;
  expect(again).toEqual({ ...DEFAULT_SETTINGS, offlinePolicy: "wait", isForcedOffline: true });
});

test.each([
  { description: "no JSON", text: "{", reason: "it is no JSON" },
  { description: "another policy", text: '{"offlinePolicy":"perhaps"}', reason: "offlinePolicy" },
])("SettingsFile refuses $description and names the file", ({ text, reason }) => {
  const path = join(cacheDir, "settings.json");
  writeFileSync(path, text);
  expect(() => new SettingsFile(cacheDir)).toThrow(InvalidSettingsError);
  expect(() => new SettingsFile(cacheDir)).toThrow(reason);
  expect(() => new SettingsFile(cacheDir)).toThrow(path);
});
