/** The public packages as somebody gets them who installs them: packed into tarballs. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { succeeds } from "./succeeds.ts";

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly tarball: string;
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

/** Packs every public package into a directory. */
export function packPackages(directory: string): Package[] {
  const packages = listPackages(directory);
  const packed = packages.every((subject) =>
    succeeds("pnpm", ["pack", "--pack-destination", directory], subject.directory),
  );
  if (!packed) throw new Error("Cannot pack the packages: pnpm pack failed, see above");
  return packages;
}

/** The package and every sibling that it depends on, directly or not. */
export function withSiblings(root: Package, packages: readonly Package[]): Set<Package> {
  const closure = new Set([root]);
  for (const { manifest } of closure) {
    for (const sibling of packages) {
      if (manifest.dependencies?.[sibling.manifest.name]) closure.add(sibling);
    }
  }
  return closure;
}

/** The modules that the package exports, as one writes them in an import. */
export function entryPoints({ name, exports }: Manifest): string[] {
  return Object.keys(exports)
    .filter((subpath) => !subpath.endsWith(".json"))
    .map((subpath) => name + subpath.slice(1));
}
