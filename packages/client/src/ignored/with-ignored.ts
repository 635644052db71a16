/**
 * The file system of a mount with what is ignored in it: entries of directories that programs see side by
 * side with those of the filter, of which no record is made (rules K51 to K58 in docs/conflicts.md).
 *
 * A node belongs to the filter or to the ignored tree, and its number says to which. Only where a name is
 * asked for in a directory of the filter is there something to decide: what is ignored under that name
 * comes first, then what the filter has; what is new is ignored where a pattern means it.
 */
import { constants } from "node:fs";

import type { IgnoreRules, Name, Oid } from "@izo/core";
import { utimens } from "@izo/sys";

import { statInode } from "../cache/inode/inode.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import type { CacheTree } from "../cache/tree/cache-tree.ts";
import { syncDirectory } from "../cache/tree/sync-directory.ts";
import type { Change } from "../filter/change-gate.ts";
import { numberOfIgnored, numberOfNode, numberOfObject } from "../filter/inode-number.ts";
import { listInodes } from "../filter/list-inodes.ts";
import { checkName } from "../filter/make-entries.ts";
import { checkRenameFlags, RENAME_EXCHANGE, RENAME_NOREPLACE } from "../filter/rename-flags.ts";
import type { UnseenWriters } from "../filter/unseen-writers.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, DirectoryEntry, FileSystem, NodeId } from "../fuse/file-system.ts";
import { ignoredInodes } from "./ignored-inodes.ts";
import { IgnoredNames, type NewEntry, type NewPlace } from "./ignored-names.ts";
import type { IgnoredTree } from "./ignored-tree.ts";
import type { LetGo } from "./let-go.ts";

export interface WithIgnoredOptions {
  /** Of all that is not ignored. */
  readonly fileSystem: FileSystem;
  readonly tree: CacheTree;
  readonly ignored: IgnoredTree;
  readonly rules: IgnoreRules;
  /** Now, for inodes. */
  readonly stampNs: () => bigint;
  /** For those of what is ignored. */
  readonly unseenWriters: UnseenWriters;
  /** @throws ErrnoError EROFS where what is not ignored may not be changed so */
  readonly checkChange: (change: Change) => void;
  /** Makes records of an ignored entry where that is possible; tells whether it did: `TakeUp.one`. */
  readonly takeUp: (parent: Oid, name: Name, caller: Caller) => boolean;
  readonly letGo: LetGo;
}

export function withIgnored(options: WithIgnoredOptions): FileSystem {
  const { fileSystem, tree, ignored, rules } = options;
  const names = new IgnoredNames(ignored, options.stampNs);
  const inodes = ignoredInodes(ignored, options.unseenWriters, options.stampNs);
  const isIgnored = (id: NodeId): boolean => ignored.nodes.has(id);
  const of = (id: NodeId): Pick<FileSystem, keyof typeof inodes> =>
    isIgnored(id) ? inodes : fileSystem;
  const oidOf = (directory: NodeId): Oid => tree.nodes.get(directory).oid;

  /** Where the ignored entries of a directory are; undefined where it has none. */
  function within(directory: NodeId): CacheNode | undefined {
    if (isIgnored(directory)) return ignored.nodes.get(directory);
    return ignored.isEmpty ? undefined : ignored.within(oidOf(directory));
  }

  function find(parent: NodeId, name: Name): CacheNode | undefined {
    const directory = within(parent);
    return directory && ignored.child(directory, name);
  }

  /** Whether what gets a name that nothing ignored has is ignored from then on. */
  function isMeant(parent: NodeId, name: Name, isDirectory: boolean): boolean {
    if (isIgnored(parent)) return true;
    if (rules.isEmpty) return false;
    const directory = tree.nodes.get(parent);
    if (!rules.ignores(tree.nodes.shownPathIn(directory, name), isDirectory)) return false;
    // What the log knows is not ignored.
    return tree.visible.entry(directory.oid, name) === undefined;
  }

  function placeIn(parent: NodeId, name: Name): NewPlace {
    checkName(name);
    if (!isIgnored(parent)) {
      const shown = tree.nodes.get(parent);
      const heritagePath = tree.nodes.pathOf(shown);
      return { directory: ignored.make(shown.oid), name, heritagePath };
    }
    const directory = ignored.nodes.get(parent);
    return { directory, name, heritagePath: ignored.nodes.pathOf(directory) };
  }

  /** Names have come or gone in a directory: on a disk its times would say so. */
  function touch(parent: NodeId): void {
    if (isIgnored(parent)) return;
    utimens(osPath(tree.nodes.pathOf(tree.nodes.get(parent))), "omit", "now");
  }

  function placed<T>(parent: NodeId, name: Name, work: (place: NewPlace) => T): T {
    const place = placeIn(parent, name);
    try {
      const result = work(place);
      touch(parent);
      return result;
    } finally {
      if (!place.directory.children.has(name)) ignored.tidy(place.directory);
    }
  }

  function ignoredDirectoriesIn(id: NodeId): number {
    if (ignored.isEmpty || tree.nodes.get(id).kind !== "directory") return 0;
    const directory = within(id);
    if (directory === undefined) return 0;
    return Math.max(0, (statInode(ignored.nodes.pathOf(directory))?.nlink ?? 0) - 2);
  }

  function isNewIgnored(parent: NodeId, name: Name, isDirectory: boolean): boolean {
    if (find(parent, name) !== undefined)
      throw new ErrnoError("EEXIST", `Cannot make ${JSON.stringify(name)}: the name is taken`);
    return isMeant(parent, name, isDirectory);
  }

  function make(parent: NodeId, name: Name, entry: NewEntry, caller: Caller): NodeId {
    return placed(parent, name, (place) => names.make(place, entry, caller).id);
  }

  function remove(parent: NodeId, name: Name, isDirectory: boolean): void {
    names.remove(within(parent)!, name, isDirectory);
    touch(parent);
  }

  /** What is ignored in a directory keeps it from being removed or replaced. */
  function checkEmpty(parent: NodeId, name: Name): void {
    const oid = ignored.isEmpty ? undefined : tree.visible.entry(oidOf(parent), name)?.oid;
    if (oid !== undefined && ignored.namesIn(oid).length > 0)
      throw new ErrnoError("ENOTEMPTY", "Cannot remove: something in it is ignored");
  }

  /** A file gets an ignored name, and the others see it go. */
  function letGo(
    [parent, name]: [NodeId, Name],
    newParent: NodeId,
    newName: Name,
    caller: Caller,
  ): boolean {
    const from = { parent: tree.nodes.get(parent), name };
    return placed(newParent, newName, ({ directory }) =>
      options.letGo.one(from, directory, newName, () => fileSystem.unlink(parent, name, caller)),
    );
  }

  function rename(
    parent: NodeId,
    name: Name,
    newParent: NodeId,
    newName: Name,
    flags: number,
    caller: Caller,
  ): void {
    checkRenameFlags(flags);
    const [moved, target] = [find(parent, name), find(newParent, newName)];
    if (moved === undefined && isIgnored(parent))
      throw new ErrnoError("ENOENT", `Cannot rename ${JSON.stringify(name)}: no such entry`);
    const isDirectory =
      moved === undefined ? isDirectoryAt(parent, name) : moved.kind === "directory";
    const isToIgnored = target !== undefined || isMeant(newParent, newName, isDirectory);
    if (moved === undefined && !isToIgnored) {
      checkEmpty(newParent, newName);
      fileSystem.rename(parent, name, newParent, newName, flags, caller);
      return;
    }
    if ((flags & RENAME_NOREPLACE) !== 0 && target !== undefined)
      throw new ErrnoError("EEXIST", "Cannot rename: the new name is taken");
    const isExchange = (flags & RENAME_EXCHANGE) !== 0;
    if (moved === undefined) {
      if (isExchange || isDirectory || !letGo([parent, name], newParent, newName, caller))
        throw acrossTheBorder();
      return;
    }
    if (isToIgnored) {
      if (isExchange && target === undefined) throw acrossTheBorder();
      const from = within(parent)!;
      placed(newParent, newName, ({ directory }) =>
        isExchange
          ? names.exchange(from, name, directory, newName)
          : names.rename(from, name, directory, newName),
      );
      touch(parent);
      return;
    }
    // A file moves across, and the others see it come. A directory does not: `mv` then copies.
    if (isExchange || isDirectory || isIgnored(parent)) throw acrossTheBorder();
    options.checkChange({ directories: [oidOf(parent), oidOf(newParent)], objects: [] });
    if (!options.takeUp(oidOf(parent), name, caller)) throw acrossTheBorder();
    fileSystem.rename(parent, name, newParent, newName, flags, caller);
  }

  function isDirectoryAt(parent: NodeId, name: Name): boolean {
    const entry = tree.visible.entry(oidOf(parent), name);
    return entry !== undefined && tree.visible.object(entry.oid)?.kind === "directory";
  }

  function readdir(id: NodeId, keepsAtime = false): DirectoryEntry[] {
    const directory = within(id);
    const listed =
      directory === undefined
        ? []
        : listInodes(ignored, directory, keepsAtime, ({ ino }) => numberOfIgnored(ino));
    if (isIgnored(id)) return listed;
    const shown = fileSystem.readdir(id, keepsAtime);
    return listed.length === 0 ? shown : shown.concat(behindAll(listed));
  }

  return {
    ...fileSystem,

    lookup(parent, name) {
      const directory = within(parent);
      const node = directory && ignored.child(directory, name);
      if (node === undefined)
        return isIgnored(parent) ? undefined : fileSystem.lookup(parent, name);
      checkName(name);
      node.references += 1;
      return node.id;
    },

    mknod(parent, name, mode, rdev, caller) {
      if (!isNewIgnored(parent, name, false))
        return fileSystem.mknod(parent, name, mode, rdev, caller);
      const kind = isRegular(mode) ? "file" : "special";
      return make(parent, name, { kind, mode, rdev }, caller);
    },

    mkdir(parent, name, mode, caller) {
      if (!isNewIgnored(parent, name, true)) return fileSystem.mkdir(parent, name, mode, caller);
      return make(parent, name, { kind: "directory", mode }, caller);
    },

    symlink(parent, name, target, caller) {
      if (!isNewIgnored(parent, name, false))
        return fileSystem.symlink(parent, name, target, caller);
      return make(parent, name, { kind: "symlink", mode: 0o777, target }, caller);
    },

    create(parent, name, mode, flags, caller) {
      if (!isNewIgnored(parent, name, false))
        return fileSystem.create(parent, name, mode, flags, caller);
      const { node, fd } = placed(parent, name, (place) => names.create(place, mode, caller));
      node.addDescriptor(fd, true);
      return { node: node.id, fd, keepCache: true };
    },

    createNameless(parent, ...rest) {
      if (isIgnored(parent))
        throw new ErrnoError("EOPNOTSUPP", "Cannot make a file without a name in what is ignored");
      return fileSystem.createNameless(parent, ...rest);
    },

    link(id, newParent, newName, caller) {
      const isTo = isNewIgnored(newParent, newName, false);
      if (isTo !== isIgnored(id)) throw acrossTheBorder();
      if (!isTo) {
        fileSystem.link(id, newParent, newName, caller);
        return;
      }
      const node = ignored.nodes.get(id);
      placed(newParent, newName, ({ directory }) => names.link(node, directory, newName));
    },

    unlink(parent, name, caller) {
      if (find(parent, name) === undefined && !isIgnored(parent))
        fileSystem.unlink(parent, name, caller);
      else remove(parent, name, false);
    },

    rmdir(parent, name, caller) {
      if (find(parent, name) !== undefined || isIgnored(parent)) {
        remove(parent, name, true);
        return;
      }
      checkEmpty(parent, name);
      fileSystem.rmdir(parent, name, caller);
    },

    rename(...place) {
      if (ignored.isEmpty && rules.isEmpty) fileSystem.rename(...place);
      else rename(...place);
    },

    readdir,

    parentIno(id) {
      if (!isIgnored(id)) return fileSystem.parentIno(id);
      const above = ignored.nodes.get(id).links[0]?.parent;
      if (above === undefined) return fileSystem.getattr(id).ino;
      const oid = ignored.parentOf(above);
      if (oid === undefined) return inodes.getattr(above.id).ino;
      const met = tree.nodes.ofObject(oid);
      return met === undefined ? numberOfObject(oid) : numberOfNode(met);
    },

    async fsyncdir(id, dataOnly) {
      const directory = within(id);
      if (directory !== undefined) syncDirectory(ignored.nodes, directory);
      if (!isIgnored(id)) await fileSystem.fsyncdir(id, dataOnly);
    },

    willWrite: (id, fd, ...rest) => of(id).willWrite(id, fd, ...rest),
    flush(id, fd) {
      if (!isIgnored(id)) fileSystem.flush(id, fd);
    },

    forget: (id) => of(id).forget(id),
    getattr(id, fd) {
      const attributes = of(id).getattr(id, fd);
      const { nlink } = attributes;
      // Of a directory: one for its name, one for ".", one for ".." of each in it.
      const added = isIgnored(id) || nlink < 2 ? 0 : ignoredDirectoriesIn(id);
      return added === 0 ? attributes : { ...attributes, nlink: nlink + added };
    },
    setattr: (id, ...change) => of(id).setattr(id, ...change),
    readlink: (id) => of(id).readlink(id),
    open: (id, ...how) => of(id).open(id, ...how),
    release: (id, fd) => of(id).release(id, fd),
    fsync: (id, ...how) => of(id).fsync(id, ...how),
    getxattr: (id, name) => of(id).getxattr(id, name),
    listxattr: (id) => of(id).listxattr(id),
    setxattr: (id, ...change) => of(id).setxattr(id, ...change),
    removexattr: (id, ...change) => of(id).removexattr(id, ...change),
  };
}

/** Programs know it from directories of two file systems, and copy. */
function acrossTheBorder(): ErrnoError {
  return new ErrnoError("EXDEV", "Cannot rename or link: only one of the names is ignored");
}

function isRegular(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFREG;
}

/**
 * Positions of ignored entries. ext4 keeps the largest upper half for the end of a directory, and other
 * file systems give small numbers.
 */
const BEHIND_ALL = 0x7fff_ffff_0000_0000n;

/**
 * Entries of one listing that come after those of another. The two directories number their entries alike,
 * so these get positions that follow from their names: they stay when others come and go.
 */
function behindAll(entries: readonly DirectoryEntry[]): DirectoryEntry[] {
  const placed = entries
    .map((entry) => ({ ...entry, position: BEHIND_ALL | BigInt(hashOf(entry.bytes)) }))
    .toSorted((a, b) => (a.position < b.position ? -1 : 1));
  for (const [index, entry] of placed.entries()) {
    const before = placed[index - 1]?.position ?? 0n;
    if (entry.position <= before) placed[index] = { ...entry, position: before + 1n };
  }
  return placed;
}

/** FNV-1a, of which 30 bits leave room for two names that have the same. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 2;
}
