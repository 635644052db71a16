import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { tokenIdOf } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { EXIT } from "../output/exit-code.ts";
import { izoIn } from "../testing/izo-in.ts";

let directory = "";
const izo = (...args: string[]) => izoIn(directory, args);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-token-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("izo token", () => {
  test("prints a token once, keeps its hash only, in a file of its owner", async () => {
    const { status, stdout, stderr } = await izo("token", "create", directory, "--name", "laptop");
    expect(status).toBe(EXIT.ok);
    const token = stdout.trim();
    expect(tokenIdOf(token)).not.toBeNull();
    expect(stderr).toContain("the first token");
    const file = join(directory, ".intermezzo", "rootfset", "tokens");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toContain(token.slice(-43));
    const listed = await izo("token", "list", directory, "--json");
    expect(listed.stdout).not.toContain(token.slice(-43));
    expect(JSON.parse(listed.stdout)).toEqual({
      isRequired: true,
      tokens: [
        {
          id: tokenIdOf(token),
          name: "laptop",
          access: "write",
          path: "/",
          createdMs: expect.any(Number),
          expiresMs: null,
        },
      ],
    });
  });

  test("revokes by id, or all of a name", async () => {
    for (const name of ["a", "b", "b"]) await izo("token", "create", directory, "--name", name);
    const { stdout } = await izo("token", "list", directory, "--json");
    const { tokens } = JSON.parse(stdout) as { tokens: { id: string; name: string }[] };
    await izo("token", "revoke", directory, tokens[0]!.id);
    const both = await izo("token", "revoke", directory, "b");
    expect(both.stdout.trim().split("\n")).toHaveLength(2);
    expect((await izo("token", "list", directory)).stdout).toContain("nobody gets in");
    const unknown = await izo("token", "revoke", directory, "b");
    expect(unknown.status).toBe(EXIT.failed);
    expect(unknown.stderr).toContain('Cannot find a token with the id or name "b"');
  });

  test.each([
    { args: ["--path", "public"], reason: "begins with a slash" },
    { args: ["--path", "/a/../b"], reason: "begins with a slash" },
    { args: ["--access", "all"], reason: "Allowed choices are read, write, log" },
    { args: ["--expires", "soon"], reason: "An age is a number with a unit" },
  ])("refuses $args", async ({ args, reason }) => {
    const { status, stderr } = await izo("token", "create", directory, ...args);
    expect(status).toBe(EXIT.usage);
    expect(stderr).toContain(reason);
  });

  test("has help with examples", async () => {
    for (const command of ["create", "list", "revoke"]) {
      expect((await izo("token", command, "--help")).stdout).toMatch(/Examples?:/);
    }
  });
});
