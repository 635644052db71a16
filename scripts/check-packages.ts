/**
 * Packs every public package and checks the tarballs as somebody who installs them gets them:
 * `pnpm packages`. What they export is well formed (publint), its types resolve (attw), and each package
 * installs with npm from its tarball and those of its siblings that it depends on, and loads; commands are
 * installed globally, with their manual pages. Expects what `pnpm build` made; needs the npm registry or
 * npm's cache of it.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { entryPoints, type Package, packPackages, withSiblings } from "./packed-packages.ts";
import { succeeds } from "./succeeds.ts";

const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

function installsAndLoads(subject: Package, packages: readonly Package[], root: string): boolean {
  const directory = join(root, subject.directory);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const tarballs = [...withSiblings(subject, packages)].map(({ tarball }) => tarball);
  // Optional peers are what an entry point besides the main one asks its users for.
  const peers = Object.entries(subject.manifest.peerDependencies ?? {}).map(
    ([name, range]) => `${name}@${range}`,
  );
  if (!succeeds("npm", ["install", ...QUIET, ...tarballs, ...peers], directory)) return false;
  const imports = entryPoints(subject.manifest).map((entry) => `await import("${entry}");`);
  return succeeds("node", ["--input-type=module", "--eval", imports.join("\n")], directory);
}

/** As a user gets a command: `npm install --global`. */
function installsCommands(subject: Package, packages: readonly Package[], root: string): boolean {
  const prefix = join(root, "global");
  const tarballs = [...withSiblings(subject, packages)].map(({ tarball }) => tarball);
  const bins = Object.keys(subject.manifest.bin ?? {});
  return (
    succeeds("npm", ["install", "--global", `--prefix=${prefix}`, ...QUIET, ...tarballs]) &&
    bins.every((bin) => succeeds(join(prefix, "bin", bin), ["--help"])) &&
    ["man1/izo.1", "man1/izo-mount.1", "man8/mount.izo.8"].every((page) =>
      existsSync(join(prefix, "share/man", page)),
    )
  );
}

/** Which of the checks the package fails, by name. */
function failedChecks(subject: Package, packages: readonly Package[], root: string): string[] {
  const { manifest, tarball } = subject;
  const failed: string[] = [];
  if (!succeeds("publint", ["run", tarball, "--strict"])) failed.push("publint");
  // A package of commands only has no entry point whose types could be wrong.
  const hasEntry = entryPoints(manifest).length > 0;
  if (hasEntry && !succeeds("attw", [tarball, "--profile", "esm-only"])) failed.push("attw");
  const installs = manifest.bin === undefined ? installsAndLoads : installsCommands;
  if (!installs(subject, packages, root)) failed.push("install");
  return failed;
}

const root = mkdtempSync(join(tmpdir(), "izo-pack-"));
try {
  const packages = packPackages(root);
  for (const subject of packages) {
    const failed = failedChecks(subject, packages, root);
    const verdict = failed.length === 0 ? "ok" : `failed ${failed.join(", ")}`;
    console.log(`${subject.manifest.name}: ${verdict}`);
    if (failed.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(root, { recursive: true });
}
