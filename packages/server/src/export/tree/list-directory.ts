import { closeSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

import {
  bytesToText,
  directoryPath,
  IzoError,
  objectPath,
  ROOT_OID,
  textToBytes,
  type Entry,
  type Name,
  type Oid,
} from "@izo/core";
import { fstat, fstatat, hasWriter, openat, readDirectory, type Stat } from "@izo/sys";

import {
  isSameDirectory,
  isSameInode,
  isUnchanged,
  noteOfStat,
  type DiskNote,
} from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import type { LookOptions } from "../look/look-options.ts";
import { reportProblem } from "../report-problem.ts";
import { STATE_DIRECTORY } from "../state-directory.ts";
import {
  entryPath,
  isDirectoryStat,
  readFoundEntry,
  readXattrs,
  type FoundEntry,
} from "./found-entry.ts";
import { heldFd, isAbsence, openTreeDirectory } from "./tree-directory.ts";

/** A directory to look at: some names in it, or all; with `isDeep` also all directories below. */
export interface LookRequest {
  readonly directory: Oid;
  readonly names: ReadonlySet<Name> | null;
  readonly isDeep: boolean;
}

/** What a look at one directory found. Its descriptor is open until it is disposed. */
export interface ListedDirectory extends Disposable {
  readonly oid: Oid;
  readonly fd: number;
  /** Entries that differ from what was noted of them. */
  readonly changed: readonly FoundEntry[];
  /** Names of the log that are not there. */
  readonly missing: readonly Entry[];
  /** Files that are being written, or were just moved, as they are now. */
  readonly busy: ReadonlyMap<Name, DiskNote>;
  /** Unchanged directories, where they are to be looked at too. */
  readonly directories: readonly Oid[];
  readonly files: number;
}

/** What is exported is not what was: another device, or no device at all. Never a deletion (design S4). */
export class ExportGoneError extends IzoError {
  constructor(dir: string, reason: string) {
    super("export-gone", `Cannot look at "${dir}": ${reason}`, { dir, reason });
  }
}

/**
 * Lists a directory and compares it with what was noted.
 *
 * @returns `elsewhere` when it is not where the log says: it was moved or removed, which the look at
 *   another directory finds out; null when it ended, or cannot be read, which is a problem
 * @throws ExportGoneError when the root is not that of this fileset any more
 */
export function listDirectory(
  fileset: Fileset,
  request: LookRequest,
  options: LookOptions,
): ListedDirectory | "elsewhere" | null {
  const { state, notes } = fileset.ledger;
  const oid = request.directory;
  if (state.object(oid)?.kind !== "directory") return null;
  let fd: number;
  try {
    fd = openTreeDirectory(fileset.rootFd, state, oid);
  } catch (error) {
    if (isAbsence(error)) return "elsewhere";
    reportProblem(fileset, objectPath(state, oid), error);
    return null;
  }
  try {
    const note = notes.get(oid);
    if (note !== undefined && !isSameInode(note, noteOfStat(fstat(fd)))) {
      closeSync(fd);
      if (oid === ROOT_OID) throw new ExportGoneError(fileset.dir, "it is another directory now");
      return "elsewhere";
    }
    checkIsExported(fileset);
    options.onDirectory?.(oid, fd);
    const known = knownEntries(fileset, request);
    const found = new Comparison(fileset, request, options, fd);
    for (const name of request.names ?? listNames(fd)) found.compare(name, known.get(name));
    const missing = [...known.values()].filter(({ name }) => !found.present.has(name));
    fileset.clearProblem(objectPath(state, oid));
    return { ...found.result(), oid, fd, missing, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    if (error instanceof IzoError) throw error;
    closeSync(fd);
    reportProblem(fileset, objectPath(state, oid), error);
    return null;
  }
}

/** Design S4: the root still holds this fileset's `sysid`. */
function checkIsExported(fileset: Fileset): void {
  if (existsSync(join(fileset.paths.path, "sysid"))) return;
  throw new ExportGoneError(fileset.dir, "its .intermezzo directory is not there");
}

/** What the log has of the names that are asked for. */
function knownEntries(fileset: Fileset, { directory, names }: LookRequest): Map<Name, Entry> {
  const { state } = fileset.ledger;
  const entries =
    names === null
      ? [...state.children(directory)]
      : [...names]
          .map((name) => state.entry(directory, name))
          .filter((entry) => entry !== undefined);
  return new Map(entries.map((entry) => [entry.name, entry]));
}

function listNames(fd: number): Name[] {
  return readDirectory(fd).map(({ name }) => bytesToText(name) as Name);
}

class Comparison {
  readonly present = new Set<Name>();
  readonly #fileset: Fileset;
  readonly #request: LookRequest;
  readonly #options: LookOptions;
  readonly #fd: number;
  /** Path of the directory, without a slash at its end. */
  readonly #path: string;
  /** All that is new in it is left out. */
  readonly #isAllIgnored: boolean;
  readonly #changed: FoundEntry[] = [];
  readonly #busy = new Map<Name, DiskNote>();
  readonly #directories: Oid[] = [];
  #files = 0;

  constructor(fileset: Fileset, request: LookRequest, options: LookOptions, fd: number) {
    this.#fileset = fileset;
    this.#request = request;
    this.#options = options;
    this.#fd = fd;
    this.#path = directoryPath(fileset.ledger.state, request.directory);
    this.#isAllIgnored = fileset.ignore.ignoresBelow(this.#path);
  }

  result() {
    return {
      changed: this.#changed,
      busy: this.#busy,
      directories: this.#directories,
      files: this.#files,
    };
  }

  /** @param entry what the log has under this name */
  compare(name: Name, entry: Entry | undefined): void {
    const { notes } = this.#fileset.ledger;
    const { directory, isDeep } = this.#request;
    if (directory === ROOT_OID && name === STATE_DIRECTORY) return;
    const nameBytes = textToBytes(name);
    const path = `${this.#path}/${name}`;
    this.#fileset.clearProblem(path);
    try {
      const stat = fstatat(this.#fd, nameBytes, { noFollow: true, throwIfNoEntry: false });
      if (stat === undefined) return;
      if (entry === undefined && this.#isIgnored(path, stat)) return;
      this.present.add(name);
      if (isFile(stat)) this.#files += 1;
      const note = entry && notes.get(entry.oid);
      if (entry !== undefined && note !== undefined && isAsNoted(note, stat)) {
        const isDirectory = isDirectoryStat(stat);
        if (!isDirectory || this.#hasLoggedXattrs(entry.oid, nameBytes)) {
          if (isDirectory && isDeep) this.#directories.push(entry.oid);
          return;
        }
      }
      if (isFile(stat) && this.#isBusy(nameBytes, stat)) this.#busy.set(name, noteOfStat(stat));
      else this.#changed.push(readFoundEntry(this.#fd, directory, name, nameBytes, stat));
    } catch (error) {
      // Gone since it was listed: the next look tells.
      this.present.add(name);
      if (!isAbsence(error)) reportProblem(this.#fileset, path, error);
    }
  }

  /** Of a directory no time tells: its entries move all that its attributes move. */
  #hasLoggedXattrs(oid: Oid, nameBytes: Uint8Array): boolean {
    const logged = this.#fileset.ledger.state.object(oid)!.xattrs;
    const found = readXattrs(entryPath(this.#fd, nameBytes));
    if (found.size !== logged.size) return false;
    for (const [name, value] of found) {
      const other = logged.get(name)?.value;
      if (other === undefined || Buffer.compare(other, value) !== 0) return false;
    }
    return true;
  }

  /** What the log knows is followed, whatever the patterns say. */
  #isIgnored(path: string, stat: Stat): boolean {
    const { ignore } = this.#fileset;
    return this.#isAllIgnored || ignore.matches(path, isDirectoryStat(stat));
  }

  #isBusy(nameBytes: Uint8Array, stat: Stat): boolean {
    const { quietMs, writerQuietMs } = this.#options;
    if (quietMs === 0) return false;
    const changedNs = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
    const ageMs = Number((this.#fileset.nowNs() - changedNs) / 1_000_000n);
    if (ageMs < quietMs) return ageMs > -quietMs;
    return ageMs < writerQuietMs && this.#hasWriter(nameBytes);
  }

  #hasWriter(nameBytes: Uint8Array): boolean {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    using file = heldFd(openat(this.#fd, nameBytes, flags));
    try {
      return hasWriter(file.fd);
    } catch {
      // No leases on this file system, or none for this user: quiet is all that can be known.
      return false;
    }
  }
}

function isAsNoted(note: DiskNote, stat: Stat): boolean {
  const now = noteOfStat(stat);
  return isDirectoryStat(stat) ? isSameDirectory(note, now) : isUnchanged(note, now);
}

function isFile(stat: Stat): boolean {
  return (stat.mode & constants.S_IFMT) === constants.S_IFREG;
}
