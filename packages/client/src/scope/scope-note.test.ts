import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ScopeNote } from "./scope-note.ts";

let cacheDir = "";
beforeEach(() => (cacheDir = mkdtempSync(join(tmpdir(), "izo-scope-"))));
afterEach(() => rmSync(cacheDir, { recursive: true }));

describe("ScopeNote", () => {
  test("allows everything until a server has said otherwise", () => {
    expect(new ScopeNote(cacheDir).changesBelow).toBe("/");
  });

  test.each(["/docs", null, "/"])("gives %j to the next mount, also without a server", (said) => {
    const note = new ScopeNote(cacheDir);
    expect(note.learn(said)).toBe(said !== "/");
    expect(note.changesBelow).toBe(said);
    expect(new ScopeNote(cacheDir).changesBelow).toBe(said);
  });

  test("takes a note that cannot be read for none: what the server will not take waits", () => {
    writeFileSync(join(cacheDir, "scope.json"), "{");
    expect(new ScopeNote(cacheDir).changesBelow).toBe("/");
  });
});
