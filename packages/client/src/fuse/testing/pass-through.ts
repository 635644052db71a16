/**
 * A `FileSystem` that is nothing but a directory: what a driver must make look exactly like it.
 *
 * Nodes are O_PATH descriptors, counted as the seam says, so a reference too many or too few shows up.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  statfsSync,
  truncateSync,
} from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { bytesToText, type Name, parseName, textToBytes } from "@izo/core";
import {
  fchownat,
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  fstat,
  fstatat,
  linkat,
  mkdirat,
  mknodat,
  O_PATH,
  openat,
  readDirectory,
  readlinkat,
  renameat2,
  symlinkat,
  unlinkat,
  utimens,
} from "@izo/sys";

import { ErrnoError } from "../errno.ts";
import type {
  Attributes,
  Awaitable,
  Caller,
  Created,
  DirectoryEntry,
  FileSystem,
  FileSystemStatistics,
  NodeId,
  Opened,
  SetAttributes,
} from "../file-system.ts";
import { rootNode } from "../file-system.ts";

const typeBits: Readonly<Record<string, number>> = {
  fifo: constants.S_IFIFO,
  "character-device": constants.S_IFCHR,
  directory: constants.S_IFDIR,
  "block-device": constants.S_IFBLK,
  file: constants.S_IFREG,
  symlink: constants.S_IFLNK,
  socket: constants.S_IFSOCK,
};

/** Files of this name open only after a while, as if their content had to be fetched. */
const slowName = /^slow-(\d+)$/;

interface Node {
  readonly pathFd: number;
  readonly key: string;
  references: number;
  slowMs: number;
}

export class PassThrough implements FileSystem {
  readonly #nodes = new Map<NodeId, Node>();
  readonly #byKey = new Map<string, NodeId>();
  #nextNode = rootNode + 1;
  willWriteCalls = 0;
  unlinkCalls = 0;

  constructor(backing: string) {
    const pathFd = openSync(backing, constants.O_DIRECTORY | O_PATH);
    this.#nodes.set(rootNode, { pathFd, key: keyOf(pathFd), references: 1, slowMs: 0 });
  }

  /** How many nodes are referenced, the root included. */
  get nodeCount(): number {
    return this.#nodes.size;
  }

  lookup(parent: NodeId, name: Name): NodeId | undefined {
    let pathFd: number;
    try {
      pathFd = openat(this.#fd(parent), textToBytes(name), O_PATH | constants.O_NOFOLLOW);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
    const key = keyOf(pathFd);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      closeSync(pathFd);
      this.#node(known).references += 1;
      return known;
    }
    const id = this.#nextNode;
    this.#nextNode += 1;
    const slowMs = Number(slowName.exec(name)?.[1] ?? 0);
    this.#nodes.set(id, { pathFd, key, references: 1, slowMs });
    this.#byKey.set(key, id);
    return id;
  }

  forget(id: NodeId): void {
    if (id === rootNode) return;
    const node = this.#node(id);
    node.references -= 1;
    if (node.references > 0) return;
    this.#nodes.delete(id);
    this.#byKey.delete(node.key);
    closeSync(node.pathFd);
  }

  getattr(node: NodeId, fd?: number): Attributes {
    const stat = fstat(fd ?? this.#fd(node));
    return { ...stat, sizeBytes: stat.size, blockSize: 4096 };
  }

  setattr(node: NodeId, changes: SetAttributes, _caller: Caller): void {
    const path = this.#path(node);
    const { uid, gid, mode, sizeBytes, atimeNs, mtimeNs } = changes;
    if (uid !== undefined || gid !== undefined) fchownat(-100, path, uid ?? -1, gid ?? -1);
    if (mode !== undefined) chmodSync(path, mode & 0o7777);
    if (sizeBytes !== undefined) truncateSync(path, sizeBytes);
    if (atimeNs !== undefined || mtimeNs !== undefined) {
      utimens(path, atimeNs ?? "omit", mtimeNs ?? "omit");
    }
  }

  readlink(node: NodeId): string {
    return bytesToText(readlinkat(this.#fd(node), ""));
  }

  mknod(parent: NodeId, name: Name, mode: number, rdev: number, caller: Caller): NodeId {
    mknodat(this.#fd(parent), textToBytes(name), masked(mode, caller), rdev);
    return this.#own(parent, name, caller);
  }

  mkdir(parent: NodeId, name: Name, mode: number, caller: Caller): NodeId {
    mkdirat(this.#fd(parent), textToBytes(name), masked(mode, caller));
    return this.#own(parent, name, caller);
  }

  symlink(parent: NodeId, name: Name, target: string, caller: Caller): NodeId {
    symlinkat(textToBytes(target), this.#fd(parent), textToBytes(name));
    return this.#own(parent, name, caller);
  }

  link(node: NodeId, newParent: NodeId, newName: Name): void {
    const from = this.#path(node);
    linkat(-100, from, this.#fd(newParent), textToBytes(newName), { follow: true });
  }

  unlink(parent: NodeId, name: Name): void {
    this.unlinkCalls += 1;
    unlinkat(this.#fd(parent), textToBytes(name));
  }

  rmdir(parent: NodeId, name: Name): void {
    unlinkat(this.#fd(parent), textToBytes(name), { directory: true });
  }

  rename(parent: NodeId, name: Name, newParent: NodeId, newName: Name, flags: number): void {
    renameat2(this.#fd(parent), textToBytes(name), this.#fd(newParent), textToBytes(newName), {
      noReplace: (flags & 1) !== 0,
      exchange: (flags & 2) !== 0,
    });
  }

  open(node: NodeId, flags: number): Awaitable<Opened> {
    const { slowMs } = this.#node(node);
    const admit = () => ({ fd: openSync(this.#path(node), dataFlags(flags)), keepCache: true });
    return slowMs === 0 ? admit() : delay(slowMs).then(admit);
  }

  create(parent: NodeId, name: Name, mode: number, flags: number, caller: Caller): Created {
    const create = dataFlags(flags) | constants.O_CREAT | constants.O_EXCL;
    const fd = openat(this.#fd(parent), textToBytes(name), create, masked(mode, caller));
    return { node: this.#own(parent, name, caller), fd, keepCache: true };
  }

  createNameless(): Created {
    throw new ErrnoError("EOPNOTSUPP", "Cannot make a file without a name");
  }

  willWrite(): void {
    this.willWriteCalls += 1;
  }

  flush(): void {}

  release(_node: NodeId, fd: number): boolean {
    closeSync(fd);
    return false;
  }

  fsync(_node: NodeId, fd: number, dataOnly: boolean): void {
    if (dataOnly) fdatasyncSync(fd);
    else fsyncSync(fd);
  }

  readdir(node: NodeId): DirectoryEntry[] {
    return this.#opened(node, (fd) =>
      readDirectory(fd).map(({ name, type, ino, position }) => ({
        name: parseName(bytesToText(name)),
        bytes: name,
        type: typeBits[type] ?? 0,
        ino,
        position,
        node: undefined,
      })),
    );
  }

  parentIno(node: NodeId): bigint {
    return fstatat(this.#fd(node), "..").ino;
  }

  makeRoom(): Promise<boolean> {
    return Promise.resolve(false);
  }

  fsyncdir(node: NodeId): void {
    this.#opened(node, fsyncSync);
  }

  getxattr(node: NodeId, name: string): Buffer | undefined {
    return this.#opened(node, (fd) => fgetxattr(fd, textToBytes(name)));
  }

  listxattr(node: NodeId): string[] {
    return this.#opened(node, (fd) => flistxattr(fd).map(bytesToText));
  }

  setxattr(node: NodeId, name: string, value: Buffer, flags: number): void {
    const mode = flags === 1 ? "create" : flags === 2 ? "replace" : undefined;
    this.#opened(node, (fd) => fsetxattr(fd, textToBytes(name), value, mode));
  }

  removexattr(node: NodeId, name: string): void {
    this.#opened(node, (fd) => fremovexattr(fd, textToBytes(name)));
  }

  statfs(): FileSystemStatistics {
    const stat = statfsSync(this.#path(rootNode));
    return {
      blockSize: stat.bsize,
      blocks: stat.blocks,
      blocksFree: stat.bfree,
      blocksAvailable: stat.bavail,
      files: stat.files,
      filesFree: stat.ffree,
    };
  }

  #node(id: NodeId): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`Cannot use node ${id}: it is not referenced`);
    return node;
  }

  #fd(node: NodeId): number {
    return this.#node(node).pathFd;
  }

  #path(node: NodeId): string {
    return `/proc/self/fd/${this.#fd(node)}`;
  }

  /** Gives a new entry to who asked for it, and returns its node. */
  #own(parent: NodeId, name: Name, { uid, gid }: Caller): NodeId {
    fchownat(this.#fd(parent), textToBytes(name), uid, gid, { noFollow: true });
    const node = this.lookup(parent, name);
    if (node !== undefined) return node;
    throw new ErrnoError("ENOENT", `Cannot find ${JSON.stringify(name)}: made and gone`);
  }

  /** Calls `work` with a descriptor that can be read, as an O_PATH one cannot. */
  #opened<T>(node: NodeId, work: (fd: number) => T): T {
    const fd = openSync(this.#path(node), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return work(fd);
    } finally {
      closeSync(fd);
    }
  }
}

function masked(mode: number, { umask = 0 }: Caller): number {
  return mode & ~umask;
}

/** The flags of a cache descriptor: the kernel has resolved the name, and says where each write goes. */
function dataFlags(flags: number): number {
  const resolved = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  return flags & ~(resolved | constants.O_APPEND);
}

function keyOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}
