import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** What the default sample is made of: packages that this program consists of, as they stand on disk. */
const SAMPLE_PACKAGES = ["@izo/core", "@izo/sys", "@izo/server", "@izo/client", "pino", "zod"];

/** Fills `directory`, which does not exist yet: with a copy of `source`, or with some real packages. */
export function makeSample(directory: string, source: string | undefined): void {
  if (source !== undefined) {
    copyTree(source, directory);
    return;
  }
  const { resolve } = createRequire(import.meta.url);
  for (const name of SAMPLE_PACKAGES) {
    copyTree(dirname(resolve(`${name}/package.json`)), join(directory, name));
  }
}

/** Symlinks stay symlinks; what belongs to a package manager or to another server is left out. */
function copyTree(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: (path) => !["node_modules", ".intermezzo"].includes(basename(path)),
  });
}
