/**
 * Writes what is made from the commands' definitions into a directory: the manual pages, and the
 * completions of the shells; the package's manifest then lists the pages. A step of the build: `node dist/pages/write-pages.js DIR`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
const program = await createProgram({
  stdout: nobody,
  stderr: nobody,
  env: {},
  cwd: ".",
  signal: new AbortController().signal,
});
const root = describeCommand(program);

const pages = [
  ...Array.from(allPages(root), (command) => writeManualPage(command, izoVersion())),
  writeMountHelperPage(root, izoVersion()),
];
const manual = join(directory, "man");
rmSync(manual, { recursive: true, force: true });
mkdirSync(manual, { recursive: true });
for (const { file, text } of pages) writeFileSync(join(manual, file), text);
listInManifest(join(directory, "package.json"));

const completions = join(directory, "completions");
mkdirSync(completions, { recursive: true });
for (const shell of COMPLETION_SHELLS) {
  writeFileSync(join(completions, `izo.${shell}`), writeCompletion(shell, root));
}

/** npm installs the manual pages that the manifest names one by one; a name of their directory is ignored. */
function listInManifest(file: string): void {
  const text = readFileSync(file, "utf8");
  const manifest = JSON.parse(text) as { man: string[] };
  manifest.man = pages.map((page) => `man/${page.file}`).toSorted();
  const listed = `${JSON.stringify(manifest, null, 2)}\n`;
  if (listed !== text) writeFileSync(file, listed);
}
