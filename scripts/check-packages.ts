/**
 * Packs every public package and checks the tarball, as somebody who installs it gets it: `pnpm packages`.
 * Expects what `pnpm build` made.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** True when the command succeeded; what it printed is shown only when it did not. */
function succeeds(command: string, args: readonly string[], cwd = "."): boolean {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) console.error(`${stdout}${stderr}`);
  return status === 0;
}

/** Which of the checks the package fails, by name. */
function failedChecks(directory: string, manifest: Manifest, packDirectory: string): string[] {
  if (!succeeds("pnpm", ["pack", "--pack-destination", packDirectory], directory)) return ["pack"];
  const [tarball] = readdirSync(packDirectory);
  if (tarball === undefined) return ["pack"];
  const file = join(packDirectory, tarball);
  const failed: string[] = [];
  if (!succeeds("publint", ["run", file, "--strict"])) failed.push("publint");
  // A package of commands only has no entry point whose types could be wrong.
  const hasEntry = manifest.exports !== undefined && "." in manifest.exports;
  if (hasEntry && !succeeds("attw", [file, "--profile", "esm-only"])) failed.push("attw");
  return failed;
}

let failures = 0;
for (const path of globSync("packages/*/package.json").toSorted()) {
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  if (manifest.private) continue;
  const packDirectory = mkdtempSync(join(tmpdir(), "izo-pack-"));
  try {
    const failed = failedChecks(dirname(path), manifest, packDirectory);
    failures += failed.length;
    console.log(`${manifest.name}: ${failed.length === 0 ? "ok" : `failed ${failed.join(", ")}`}`);
  } finally {
    rmSync(packDirectory, { recursive: true });
  }
}
process.exitCode = failures === 0 ? 0 : 1;
