/**
 * Requests about listings. A listing is made once, when it is read from its start, and served in parts.
 *
 * Where a part begins is said by positions that are the directory's and not the listing's: the kernel
 * keeps listings, gives them to others, drops them half-way, and then goes on here.
 */
import { constants } from "node:fs";

import { type Name, textToBytes } from "@izo/core";

import type { DirectoryEntry, NodeId } from "../file-system.ts";
import { EMPTY_BODY, type HandlerContext, type Handlers } from "./handler.ts";
import { FSYNC_DATA_ONLY, OPCODE, OPEN_FLAG } from "./protocol.ts";
import { ENTRY_BYTES, OPEN_BYTES, type ReplyMessage } from "./reply-message.ts";
import type { RequestMessage } from "./request-message.ts";

/** `struct fuse_dirent`: ino u64, off u64, namelen u32, type u32; the name, filled up to 8 bytes. */
const DIRENT_BYTES = 24;

/** Where the type stands in a mode: `d_type` is the mode's S_IFMT bits, shifted down. */
const TYPE_SHIFT = 12;

/** Where a listing is over: as far as positions can go. */
const END = 0x7fff_ffff_ffff_ffffn;

type Listed = Omit<DirectoryEntry, "name"> & {
  /** Undefined for "." and "..", which the kernel does not take nodes of. */
  readonly name: Name | undefined;
};

interface OpenDirectory {
  readonly node: NodeId;
  /** Under which the kernel has opened it. */
  readonly number: number;
  readonly keepsAtime: boolean;
  listing: readonly Listed[];
  /** Where the last part ended, as a position and in the listing. */
  next: { readonly position: bigint; readonly index: number };
}

const NOWHERE = { position: -1n, index: 0 };

function dots(ino: bigint, parentIno: bigint): readonly Listed[] {
  const dot = { name: undefined, type: constants.S_IFDIR, node: undefined };
  return [
    { ...dot, bytes: textToBytes("."), ino, position: 0n },
    { ...dot, bytes: textToBytes(".."), ino: parentIno, position: 1n },
  ];
}

/** Where what comes after "." and ".." can begin. */
const BEHIND_DOTS = 2n;

/** File systems that list "." and ".." somewhere in between begin with another entry, at the position of ours. */
function behindDots(entries: readonly Listed[]): readonly Listed[] {
  const [first] = entries;
  if (first === undefined || first.position >= BEHIND_DOTS) return entries;
  return entries.with(0, { ...first, position: BEHIND_DOTS });
}

export function directoryHandlers({ fileSystem, known, directories }: HandlerContext): Handlers {
  const opened = new Map<number, OpenDirectory>();
  let lastHandle = 0;

  function list({ node, keepsAtime }: OpenDirectory): readonly Listed[] {
    const entries: readonly Listed[] = fileSystem.readdir(node, keepsAtime);
    const ofDots = dots(fileSystem.getattr(node).ino, fileSystem.parentIno(node));
    return ofDots.concat(behindDots(entries));
  }

  /** Where in the listing of a directory a position is; the end for one beyond all. */
  function indexOf(directory: OpenDirectory, position: bigint): number {
    if (position === directory.next.position) return directory.next.index;
    // From the start, as rewinddir(3), or somewhere else: then it sees what has changed.
    directory.listing = list(directory);
    const index = directory.listing.findIndex((listed) => listed.position >= position);
    return index < 0 ? directory.listing.length : index;
  }

  /** Serves entries from the offset on, as many as fit; each is written by `write`. */
  function read(
    request: RequestMessage,
    headBytes: number,
    write: (offset: number, directory: OpenDirectory, listed: Listed) => bigint,
    reply: ReplyMessage,
  ): number {
    const directory = opened.get(request.u64(0));
    if (directory === undefined) throw new Error("Cannot list: the directory is not open");
    const room = request.u32(16);
    let index = indexOf(directory, request.i64(8));
    let used = 0;
    const positionAt = (at: number): bigint => directory.listing[at]?.position ?? END;
    for (; index < directory.listing.length; index += 1) {
      const listed = directory.listing[index]!;
      const size = headBytes + align(DIRENT_BYTES + listed.bytes.length);
      if (used + size > room) break;
      const inode = write(used, directory, listed);
      putEntry(reply, used + headBytes, inode, positionAt(index + 1), listed);
      used += size;
    }
    directory.next = { position: positionAt(index), index };
    return used;
  }

  /** The kernel has the node, and mostly its attributes: to tell it again would cost a stat for nothing. */
  function isTold({ node }: Listed): boolean {
    return node !== undefined && known.has(node);
  }

  function lookUp(directory: OpenDirectory, { name }: Listed): NodeId | undefined {
    return name === undefined ? undefined : fileSystem.lookup(directory.node, name);
  }

  return {
    // struct fuse_open_in: flags u32, open_flags u32.
    [OPCODE.OPENDIR](request, reply) {
      lastHandle += 1;
      const keepsAtime = (request.u32(0) & constants.O_NOATIME) !== 0;
      const { node, number } = request;
      opened.set(lastHandle, { node, number, keepsAtime, listing: [], next: NOWHERE });
      // Kept listings are right: the kernel drops them with each entry of theirs that is invalidated.
      reply.opened(0, lastHandle, OPEN_FLAG.CACHE_DIR | OPEN_FLAG.KEEP_CACHE, 0);
      return OPEN_BYTES;
    },

    // struct fuse_read_in: fh u64, offset u64, size u32 …
    [OPCODE.READDIR]: (request, reply) =>
      read(request, 0, (_offset, _directory, { ino }) => ino, reply),

    [OPCODE.READDIRPLUS]: (request, reply) =>
      read(
        request,
        ENTRY_BYTES,
        (offset, directory, listed) => {
          const { ino } = listed;
          const node = isTold(listed) ? undefined : lookUp(directory, listed);
          if (node === undefined) {
            // An entry without a node: its name is listed, and looked up by who wants to know more.
            reply.body(offset, ENTRY_BYTES).fill(0);
            return ino;
          }
          known.told(node);
          const attributes = fileSystem.getattr(node);
          if (listed.type === constants.S_IFDIR) directories.listed(directory.number, node);
          reply.entry(offset, node, attributes);
          return attributes.ino;
        },
        reply,
      ),

    [OPCODE.RELEASEDIR](request) {
      opened.delete(request.u64(0));
      return 0;
    },

    // struct fuse_fsync_in: fh u64, fsync_flags u32.
    [OPCODE.FSYNCDIR](request) {
      const dataOnly = (request.u32(8) & FSYNC_DATA_ONLY) !== 0;
      const synced = fileSystem.fsyncdir(request.node, dataOnly);
      return synced instanceof Promise ? synced.then(() => EMPTY_BODY) : 0;
    },
  };
}

function putEntry(
  reply: ReplyMessage,
  offset: number,
  inode: bigint,
  next: bigint,
  { bytes, type }: Listed,
): void {
  reply.bigU64(offset, inode);
  reply.bigU64(offset + 8, next);
  reply.u32(offset + 16, bytes.length);
  reply.u32(offset + 20, type >> TYPE_SHIFT);
  reply.padded(offset + DIRENT_BYTES, bytes, align(DIRENT_BYTES + bytes.length) - DIRENT_BYTES);
}

/** Entries begin at multiples of 8 bytes. */
function align(bytes: number): number {
  return (bytes + 7) & ~7;
}
