import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { createProgram } from "../program.ts";
import { allPages, describeCommand } from "./command-page.ts";
import { writeCompletion } from "./completion.ts";
import { writeManualPage } from "./manual-page.ts";
import { writeMountHelperPage } from "./mount-helper-page.ts";
import { writeReference } from "./reference-page.ts";

const stream = { write: () => true };
const signal = new AbortController().signal;
const root = describeCommand(
  await createProgram({ stdout: stream, stderr: stream, env: {}, cwd: ".", signal }),
);
const pages = [...allPages(root)];

describe("the pages of all commands", () => {
  test.each(pages.slice(1).filter(({ commands }) => commands.length === 0))(
    "$words has a description and examples",
    ({ description, examples }) => {
      expect(description).toMatch(/^[a-z].*[^.]$/s);
      expect(examples).toContain("izo ");
    },
  );

  test("name every option, the value that it takes and what it is without one", () => {
    const mount = pages.find(({ words }) => words.join(" ") === "izo mount");
    expect(mount?.options.find(({ name }) => name === "--mode")).toEqual({
      flags: "--mode <mode>",
      name: "--mode",
      description: "fetch contents at first open, or all at once",
      takesValue: true,
      choices: ["on-demand", "replica"],
      defaultText: "on-demand",
      env: "IZO_MODE",
    });
    expect(mount?.notes).toMatch(/^The cache outlives the mount/);
    expect(mount?.examples).toMatch(/^izo mount http/);
  });
});

test("writeReference() gives the page of the documentation: UPDATE_PAGES=1 writes it anew", () => {
  const file = join(import.meta.dirname, "../../../../docs/reference/commands.md");
  const text = writeReference(root);
  if (process.env["UPDATE_PAGES"] === "1") writeFileSync(file, text);
  expect(readFileSync(file, "utf8")).toBe(text);
});

describe("writeManualPage()", () => {
  const all = [
    ...pages.map((page) => writeManualPage(page, "1.0")),
    writeMountHelperPage(root, "1.0"),
  ];

  test("writes what groff takes without a warning, for every command", () => {
    for (const { file, text } of all) {
      const { status, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", "-z"], {
        input: text,
        encoding: "utf8",
      });
      expect({ file, status, stderr }).toEqual({ file, status: 0, stderr: "" });
    }
  });

  test("keeps hyphens, backslashes and leading dots as they are", () => {
    const page = {
      ...root,
      notes: ".profile and C:\\izo, read-only",
      commands: [],
      options: [],
    };
    const { stdout } = spawnSync("groff", ["-man", "-Tascii", "-P-c"], {
      input: writeManualPage(page, "1.0").text,
      encoding: "utf8",
    });
    expect(stdout).toContain(".profile and C:\\izo, read-only");
  });
});

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(" ");
  const script = `${writeCompletion("bash", root)}
    COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _izo; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

describe("writeCompletion()", () => {
  test.each([
    { words: ["izo", "umo"], expected: ["umount"] },
    { words: ["izo", "conflicts", "s"], expected: ["show"] },
    { words: ["izo", "mount", "--mode", ""], expected: ["on-demand", "replica"] },
    { words: ["izo", "serve", "/srv", "--fil"], expected: ["--fileset"] },
    { words: ["izo", "completion", "--he"], expected: ["--help"] },
    // bash then offers files.
    { words: ["izo", "serve", "/sr"], expected: [] },
  ])("offers bash $expected for $words", ({ words, expected }) => {
    expect(offered(...words)).toEqual(expected);
  });

  test("writes lines for fish that name each command", () => {
    const script = writeCompletion("fish", root);
    for (const { words } of root.commands) expect(script).toContain(`-f -a ${words.at(-1)} -d`);
  });
});
