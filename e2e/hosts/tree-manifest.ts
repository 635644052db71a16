/**
 * Everything about a directory tree that two hosts must agree on: names as bytes, types, modes, owners,
 * times of files in nanoseconds, extended attributes, link targets, numbers of hard links, contents.
 *
 * Inode numbers are local: on a mount, two names of one file have two (docs/decisions/0002).
 *
 * Run as a program it prints the manifest of its argument, one line per entry: a tree on a mount is read
 * by a process of its own, which can be killed when the mount hangs.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readlinkSync, readSync } from "node:fs";

import { bytesToText } from "@izo/core";
import { fstatat, lgetxattr, llistxattr, readDirectory, type Stat } from "@izo/sys";

import { runCommand } from "./run-command.ts";

/** A line for each entry, by its path; equal trees have equal manifests. */
export type TreeManifest = ReadonlyMap<string, string>;

/** Names at the root that belong to a host and not to the tree. */
const OWN_NAMES = new Set([".intermezzo"]);

const S_IFMT = 0o170000;
const TYPES: Readonly<Record<number, string>> = {
  0o100000: "file",
  0o040000: "directory",
  0o120000: "symlink",
  0o010000: "fifo",
  0o140000: "socket",
  0o020000: "character-device",
  0o060000: "block-device",
};

/** The manifest of a directory, taken by a process of its own. */
export async function treeManifest(
  directory: string,
  options: { readonly timeoutMs?: number } = {},
): Promise<TreeManifest> {
  const program = [process.execPath, "--conditions=izo:source", import.meta.filename, directory];
  const output = await runCommand(program, { timeoutMs: options.timeoutMs ?? 120_000 });
  const manifest = new Map<string, string>();
  for (const line of output.split("\n")) {
    if (line === "") continue;
    const { path } = JSON.parse(line) as { path: string };
    manifest.set(path, line);
  }
  return manifest;
}

/** Differences of two manifests for people, one line each, at most a screenful; empty for equal ones. */
export function diffManifests(expected: TreeManifest, found: TreeManifest): string[] {
  const lines: string[] = [];
  for (const path of new Set([...expected.keys(), ...found.keys()])) {
    const a = expected.get(path);
    const b = found.get(path);
    if (a === b) continue;
    if (b === undefined) lines.push(`missing: ${path}`);
    else if (a === undefined) lines.push(`surplus: ${path}`);
    else lines.push(`differs: ${path}\n  expected ${a}\n  found    ${b}`);
  }
  const shown = lines.slice(0, 20);
  return lines.length > shown.length
    ? [...shown, `… and ${lines.length - shown.length} more`]
    : shown;
}

/** Names of regular files in a manifest. */
export function countFiles(manifest: TreeManifest): number {
  return [...manifest.values()].filter((line) => line.includes('"type":"file"')).length;
}

/** Lines of the manifest of `directory`, in the order of names as bytes. */
function* manifestLines(directory: string): Generator<string> {
  yield* directoryLines(Buffer.from(directory), "");
}

function* directoryLines(directory: Buffer, path: string): Generator<string> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const names = readDirectory(fd).map(({ name }) => name);
    for (const name of names.toSorted(compareBytes)) {
      const text = bytesToText(name);
      if (path === "" && OWN_NAMES.has(text)) continue;
      const child = Buffer.concat([directory, Buffer.from("/"), name]);
      const childPath = `${path}/${text}`;
      const stat = fstatat(fd, name, { noFollow: true });
      yield JSON.stringify(describe(child, childPath, stat));
      if ((stat.mode & S_IFMT) === 0o040000) yield* directoryLines(child, childPath);
    }
  } finally {
    closeSync(fd);
  }
}

function compareBytes(a: Buffer, b: Buffer): number {
  return a.compare(b);
}

function describe(file: Buffer, path: string, stat: Stat): object {
  const type = TYPES[stat.mode & S_IFMT];
  const common = {
    path,
    type,
    mode: (stat.mode & 0o7777).toString(8),
    uid: stat.uid,
    gid: stat.gid,
  };
  if (type === "symlink") return { ...common, target: bytesToText(readlinkSync(file, "buffer")) };
  const xattrs = readXattrs(file);
  if (type !== "file") return { ...common, rdev: stat.rdev, xattrs };
  const { nlink: links, size } = stat;
  const mtimeNs = String(stat.mtimeNs);
  return { ...common, links, mtimeNs, size, xattrs, sha256: hashFile(file) };
}

function readXattrs(file: Buffer): Record<string, string> {
  const names = llistxattr(file).toSorted(compareBytes);
  return Object.fromEntries(
    names.map((name) => [bytesToText(name), lgetxattr(file, name)?.toString("base64") ?? ""]),
  );
}

const block = Buffer.allocUnsafe(1024 * 1024);

function hashFile(file: Buffer): string {
  const hash = createHash("sha256");
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (;;) {
      const length = readSync(fd, block);
      if (length === 0) return hash.digest("hex");
      hash.update(block.subarray(0, length));
    }
  } finally {
    closeSync(fd);
  }
}

if (process.argv[1] === import.meta.filename) {
  const lines: string[] = [];
  for (const line of manifestLines(process.argv[2] ?? ".")) lines.push(line);
  process.stdout.write(lines.length === 0 ? "" : `${lines.join("\n")}\n`);
}
