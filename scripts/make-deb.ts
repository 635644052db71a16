/**
 * Makes a Debian package of the command line, with a Node of its own: `pnpm deb [DIR]` writes
 * `izo_VERSION_ARCH.deb` into DIR, by default here. Expects what `pnpm build` made, and dpkg-deb.
 *
 * Everything is below /usr/lib/izo but for what others look for elsewhere: the commands, the helper of
 * mount(8), units, manual pages, completions.
 */
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

import { packPackages, withSiblings } from "./packed-packages.ts";
import { succeeds } from "./succeeds.ts";

/** Debian's names of the processors that Node's names mean. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

const LIB = "usr/lib/izo";

function must(command: string, args: readonly string[]): void {
  if (!succeeds(command, args)) throw new Error(`Cannot make the package: ${command} failed`);
}

function write(file: string, text: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

/** A command that runs a program of the package on the package's Node, wherever it is called from. */
function launcher(program: string): string {
  const main = `/${LIB}/lib/node_modules/@izo/cli/bundle/${program}`;
  return `#!/bin/sh\nexec /${LIB}/bin/node ${main} "$@"\n`;
}

/** What the package puts where Debian's programs look for it. */
function placeFiles(root: string, cli: string): void {
  write(join(root, "usr/bin/izo"), launcher("main.js"), 0o755);
  write(join(root, "usr/sbin/mount.izo"), launcher("mount-helper.js"), 0o755);
  for (const page of globSync(`${cli}/man/*`)) {
    const section = extname(page).slice(1);
    const file = join(root, `usr/share/man/man${section}/${basename(page)}.gz`);
    write(file, gzipSync(readFileSync(page)));
  }
  const units = { system: `${cli}/systemd/*.service`, user: `${cli}/systemd/user/*.service` };
  for (const [manager, files] of Object.entries(units)) {
    for (const unit of globSync(files)) {
      const text = readFileSync(unit, "utf8").replaceAll("/usr/bin/env izo", "/usr/bin/izo");
      write(join(root, "usr/lib/systemd", manager, basename(unit)), text);
    }
  }
  const completions = {
    "izo.bash": "bash-completion/completions/izo",
    "izo.zsh": "zsh/vendor-completions/_izo",
    "izo.fish": "fish/vendor_completions.d/izo.fish",
  };
  for (const [from, to] of Object.entries(completions)) {
    write(join(root, "usr/share", to), readFileSync(join(cli, "completions", from)));
  }
  write(join(root, "usr/share/doc/izo/copyright"), readFileSync(join(cli, "LICENSE")));
}

function control(version: string, architecture: string, installedKib: number): string {
  return `Package: izo
Version: ${version}
Architecture: ${architecture}
Maintainer: izo <izo@users.noreply.github.com>
Installed-Size: ${installedKib}
Depends: libc6 (>= 2.28), libfuse3-3, fuse3
Section: net
Priority: optional
Homepage: https://github.com/izo-fs/izo
Description: distributed file system over a log, served by plain HTTP
 izo serve exports an existing directory, in place. izo mount gives it to any
 number of machines as a file system that is as fast as the local disk, works
 without a network, and keeps both contents where two people edited one file.
`;
}

const target = resolve(process.argv[2] ?? ".");
const work = mkdtempSync(join(tmpdir(), "izo-deb-"));
try {
  const packages = packPackages(work);
  const cli = packages.find(({ manifest }) => manifest.name === "@izo/cli");
  if (cli === undefined) throw new Error("Cannot make the package: there is no @izo/cli");
  const root = join(work, "root");
  const prefix = join(root, LIB);
  mkdirSync(join(prefix, "bin"), { recursive: true });
  const tarballs = [...withSiblings(cli, packages)].map(({ tarball }) => tarball);
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  must("npm", ["install", "--global", `--prefix=${prefix}`, ...quiet, ...tarballs]);
  for (const duplicate of ["bin", "share"]) rmSync(join(prefix, duplicate), { recursive: true });
  const node = join(prefix, "bin/node");
  mkdirSync(dirname(node));
  cpSync(realpathSync(process.execPath), node);
  chmodSync(node, 0o755);
  placeFiles(root, cli.directory);

  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`Cannot make a package for ${process.arch}`);
  const { version } = cli.manifest;
  const files = globSync(`${root}/**/*`, { withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce(
    (sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size,
    0,
  );
  write(join(root, "DEBIAN/control"), control(version, architecture, Math.ceil(bytes / 1024)));
  const file = join(target, `izo_${version}_${architecture}.deb`);
  must("dpkg-deb", ["--build", "--root-owner-group", "-Zxz", "-z3", root, file]);
  console.log(file);
} finally {
  rmSync(work, { recursive: true });
}
