import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { takePlace } from "./take-place.ts";

test("takePlace() leaves one file under the name", () => {
  const directory = mkdtempSync(join(tmpdir(), "izo-take-place-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const [from, to] = [join(directory, "new"), join(directory, "name")];
  writeFileSync(to, "old");
  writeFileSync(from, "new");
  const { ino } = statSync(from);
  takePlace(from, to);
  expect(readdirSync(directory)).toEqual(["name"]);
  expect(readFileSync(to, "utf8")).toBe("new");
  expect(statSync(to).ino).toBe(ino);
});
