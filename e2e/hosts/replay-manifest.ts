import { hash } from "node:crypto";
import { join } from "node:path";

import {
  type Entry,
  MemoryState,
  openKmlReader,
  type Oid,
  type Recno,
  replay,
  ROOT_OID,
  type ServerRecord,
  textToBytes,
  type TreeObject,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";

import type { TreeManifest } from "./tree-manifest.ts";

/** The server's log on disk, decoded. */
export function* readServerLog(exportDir: string): Generator<ServerRecord> {
  const directory = join(exportDir, ".intermezzo/rootfset/kml");
  const reader = openKmlReader(nodeDisk, directory, (bytes) => hash("sha256", bytes, "buffer"));
  for (const scanned of reader.read(0 as Recno)) yield scanned.decode() as ServerRecord;
}

/**
 * The manifest that a tree must have according to the log alone: every record of the server's KML is
 * replayed into an empty state. Equal to `treeManifest` of the export when tree and log agree.
 */
export function replayManifest(exportDir: string): TreeManifest {
  const state = new MemoryState();
  let head = 0 as Recno;
  for (const record of readServerLog(exportDir)) head = replay(record, state, head);
  const manifest = new Map<string, string>();
  const addDirectory = (directory: Oid, path: string): void => {
    for (const entry of [...state.children(directory)].toSorted(byNameBytes)) {
      const object = state.object(entry.oid);
      if (object === undefined) throw new Error(`Cannot find the object of ${path}/${entry.name}`);
      const childPath = `${path}/${entry.name}`;
      manifest.set(
        childPath,
        JSON.stringify(describe(childPath, object, state.links(entry.oid).length)),
      );
      if (object.kind === "directory") addDirectory(object.oid, childPath);
    }
  };
  addDirectory(ROOT_OID, "");
  return manifest;
}

const S_IFMT = 0o170000;
const SPECIAL_TYPES: Readonly<Record<number, string>> = {
  0o010000: "fifo",
  0o140000: "socket",
  0o020000: "character-device",
  0o060000: "block-device",
};

/** In the form of a line of `treeManifest`. */
function describe(path: string, object: TreeObject, links: number): object {
  const { kind, uid, gid } = object;
  const type = kind === "special" ? SPECIAL_TYPES[object.mode & S_IFMT] : kind;
  // The mode of a symlink is the kernel's, always 0777.
  const mode = kind === "symlink" ? "777" : (object.mode & 0o7777).toString(8);
  const common = { path, type, mode, uid, gid };
  if (kind === "symlink") return { ...common, target: object.target };
  const xattrs = Object.fromEntries(
    [...object.xattrs]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { value }]) => [name, Buffer.from(value).toString("base64")]),
  );
  if (kind !== "file") return { ...common, rdev: object.rdev, xattrs };
  const { sizeBytes: size, sha256 } = object;
  return { ...common, links, mtimeNs: String(object.mtimeNs), size, xattrs, sha256 };
}

/** As directories are listed for the other manifest. */
function byNameBytes(a: Entry, b: Entry): number {
  return Buffer.compare(textToBytes(a.name), textToBytes(b.name));
}
