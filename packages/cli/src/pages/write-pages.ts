/**
 * Writes what is made from the commands' definitions into a directory: the manual pages, and the
 * completions of the shells. A step of the build: `node dist/pages/write-pages.js DIR`.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createProgram } from "../program.ts";
import { izoVersion } from "../version.ts";
import { allPages, describeCommand } from "./command-page.ts";
import { COMPLETION_SHELLS, writeCompletion } from "./completion.ts";
import { writeManualPage } from "./manual-page.ts";
import { writeMountHelperPage } from "./mount-helper-page.ts";

const directory = process.argv[2];
if (directory === undefined) throw new Error("Cannot write pages: name the directory");

const nobody = { write: () => true };
const program = createProgram({
  stdout: nobody,
  stderr: nobody,
  env: {},
  cwd: ".",
  signal: new AbortController().signal,
});
const root = describeCommand(program);

const manual = join(directory, "man");
rmSync(manual, { recursive: true, force: true });
mkdirSync(manual, { recursive: true });
for (const page of [
  ...Array.from(allPages(root), (command) => writeManualPage(command, izoVersion())),
  writeMountHelperPage(root, izoVersion()),
]) {
  writeFileSync(join(manual, page.file), page.text);
}

const completions = join(directory, "completions");
mkdirSync(completions, { recursive: true });
for (const shell of COMPLETION_SHELLS) {
  writeFileSync(join(completions, `izo.${shell}`), writeCompletion(shell, root));
}
