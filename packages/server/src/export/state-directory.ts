/**
 * Where a fileset keeps what it knows: `.intermezzo/<fileset>/` in the exported directory, on the same
 * file system, because contents move between them by rename (design §4).
 */

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { IzoError, isId, type FilesetId, type PeerId } from "@izo/core";
import { makeDirectories } from "@izo/sys";

/** Name of the directory in the export's root that is never shown to clients. */
export const STATE_DIRECTORY = ".intermezzo";

/** The directory cannot be exported as it is. */
export class ExportError extends IzoError {
  constructor(dir: string, reason: string, options?: ErrorOptions) {
    super("export-unusable", `Cannot export "${dir}": ${reason}`, { dir, reason }, options);
  }
}

export interface StateDirectory {
  readonly path: string;
  readonly kml: string;
  readonly index: string;
  readonly intents: string;
  /** Who holds which permit. */
  readonly permits: string;
  /** What is left out of the export. */
  readonly ignore: string;
  readonly lock: string;
  /** Space that a full disk has left for removals. */
  readonly reserve: string;
  /** Uploads and contents that wait for the record that needs them. */
  readonly contents: string;
  /** Inodes on their way into the tree or out of it. */
  readonly apply: string;
  /** Old contents (design D8). */
  readonly objects: string;
  /** The tree where a truncated log begins. */
  readonly anchors: string;
  readonly filesetId: FilesetId;
  readonly peer: PeerId;
}

/**
 * Opens the state of a fileset, or makes it. The ids are written before anything else can name them.
 *
 * @throws ExportError when the directory is missing, is none, or cannot be written to
 */
export function openStateDirectory(dir: string, fileset: string): StateDirectory {
  checkDirectory(dir);
  const path = join(dir, STATE_DIRECTORY, fileset);
  const directories = ["kml", "staging", "staging/contents", "staging/apply", "objects", "anchors"];
  try {
    for (const name of directories) makeDirectories(join(path, name));
    const ignore = join(dir, STATE_DIRECTORY, ".gitignore");
    if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
    makeId(join(path, "fileset"));
    makeId(join(path, "sysid"));
    return stateDirectoryAt(path);
  } catch (error) {
    if (error instanceof IzoError) throw error;
    throw new ExportError(dir, `its state cannot be kept in it (${(error as Error).message})`, {
      cause: error,
    });
  }
}

/**
 * The state of a fileset that was served before; makes nothing.
 *
 * @throws ExportError where there is none
 */
export function findStateDirectory(dir: string, fileset: string): StateDirectory {
  checkDirectory(dir);
  const path = join(dir, STATE_DIRECTORY, fileset);
  if (!existsSync(join(path, "fileset"))) {
    throw new ExportError(dir, `no fileset "${fileset}" was ever served from it`);
  }
  return stateDirectoryAt(path);
}

/** Files that say who may ask for what, and which peer belongs to whom. */
export interface AccessFiles {
  readonly tokens: string;
  readonly tokenPeers: string;
}

/** Those of a fileset, whether it was served before or not. */
export function accessFilesOf(dir: string, fileset: string): AccessFiles {
  return accessFilesIn(join(dir, STATE_DIRECTORY, fileset));
}

/** Those in a state directory. */
export function accessFilesIn(path: string): AccessFiles {
  return { tokens: join(path, "tokens"), tokenPeers: join(path, "token-peers") };
}

function stateDirectoryAt(path: string): StateDirectory {
  const under = (name: string) => join(path, name);
  return {
    path,
    kml: under("kml"),
    index: under("index.sqlite"),
    intents: under("lml"),
    permits: under("permits"),
    ignore: under("ignore.json"),
    lock: under("lock"),
    reserve: under("reserve"),
    contents: under("staging/contents"),
    apply: under("staging/apply"),
    objects: under("objects"),
    anchors: under("anchors"),
    filesetId: readId(under("fileset")) as FilesetId,
    peer: readId(under("sysid")) as PeerId,
  };
}

function checkDirectory(dir: string): void {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) throw new ExportError(dir, "there is no such directory");
  if (!stat.isDirectory()) throw new ExportError(dir, "it is not a directory");
}

/** An id of 16 bytes in a file of its own: made once, kept for ever. */
function makeId(path: string): void {
  if (existsSync(path)) return;
  const id = randomUUID().replaceAll("-", "");
  writeFileSync(`${path}.new`, `${id}\n`, { flush: true, mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readId(path: string): string {
  const id = readFileSync(path, "utf8").trim();
  if (!isId(id)) throw new ExportError(path, "it does not hold an id of 32 hexadecimal digits");
  return id;
}
