/**
 * Packs every public package and checks the tarballs as somebody who installs them gets them:
 * `pnpm packages`. What they export is well formed (publint), its types resolve (attw), and each package
 * installs with npm from its tarball and those of its siblings that it depends on, and loads. Expects what
 * `pnpm build` made; needs the npm registry or npm's cache of it.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

interface Package {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly tarball: string;
}

/** True when the command succeeded; what it printed is shown only when it did not. */
function succeeds(command: string, args: readonly string[], cwd = "."): boolean {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) console.error(`${stdout}${stderr}`);
  return status === 0;
}

function listPackages(packDirectory: string): Package[] {
  return globSync("packages/*/package.json")
    .toSorted()
    .map((path) => {
      const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
      const fileName = `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`;
      return { directory: dirname(path), manifest, tarball: join(packDirectory, fileName) };
    })
    .filter(({ manifest }) => !manifest.private);
}

/** The package and every sibling that it depends on, directly or not. */
function withSiblings(root: Package, packages: readonly Package[]): Set<Package> {
  const closure = new Set([root]);
  for (const { manifest } of closure) {
    for (const sibling of packages) {
      if (manifest.dependencies?.[sibling.manifest.name]) closure.add(sibling);
    }
  }
  return closure;
}

/** The modules that the package exports, as one writes them in an import. */
function entryPoints({ name, exports }: Manifest): string[] {
  return Object.keys(exports)
    .filter((subpath) => !subpath.endsWith(".json"))
    .map((subpath) => name + subpath.slice(1));
}

function installsAndLoads(subject: Package, packages: readonly Package[], root: string): boolean {
  const directory = join(root, subject.directory);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const tarballs = [...withSiblings(subject, packages)].map(({ tarball }) => tarball);
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  // Optional peers are what an entry point besides the main one asks its users for.
  const peers = Object.entries(subject.manifest.peerDependencies ?? {}).map(
    ([name, range]) => `${name}@${range}`,
  );
  if (!succeeds("npm", ["install", ...quiet, ...tarballs, ...peers], directory)) return false;
  const imports = entryPoints(subject.manifest).map((entry) => `await import("${entry}");`);
  const bins = Object.keys(subject.manifest.bin ?? {});
  return (
    succeeds("node", ["--input-type=module", "--eval", imports.join("\n")], directory) &&
    bins.every((bin) => succeeds(join("node_modules", ".bin", bin), ["--help"], directory))
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
  if (!installsAndLoads(subject, packages, root)) failed.push("install");
  return failed;
}

const root = mkdtempSync(join(tmpdir(), "izo-pack-"));
try {
  const packages = listPackages(root);
  const packed = packages.every(({ directory }) =>
    succeeds("pnpm", ["pack", "--pack-destination", root], directory),
  );
  if (!packed) throw new Error("Cannot check the packages: pnpm pack failed, see above");
  for (const subject of packages) {
    const failed = failedChecks(subject, packages, root);
    const verdict = failed.length === 0 ? "ok" : `failed ${failed.join(", ")}`;
    console.log(`${subject.manifest.name}: ${verdict}`);
    if (failed.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(root, { recursive: true });
}
