/** Requests about nodes: their attributes, extended attributes, targets, and that they are forgotten. */
import { constants as fileTypes } from "node:fs";
import { constants as os } from "node:os";

import { textToBytes } from "@izo/core";

import { ErrnoError } from "../errno.ts";
import type { Caller, FileSystem, NodeId, SetAttributes } from "../file-system.ts";
import { S_ISGID, withoutSetId } from "../set-id-bits.ts";
import { type HandlerContext, type Handlers, SILENT } from "./handler.ts";
import { GETATTR_FH, OPCODE, SETATTR_FLAG, SETXATTR_KILL_SGID } from "./protocol.ts";
import { ATTR_OUT_BYTES, type ReplyMessage } from "./reply-message.ts";
import type { RequestMessage } from "./request-message.ts";

const STATFS_BYTES = 80;
const NAME_MAX = 255;
export function nodeHandlers(context: HandlerContext): Handlers {
  const { fileSystem, known, directories, files, onChanged } = context;

  /**
   * What a change of nothing asks for. It is a chown(2) that names nobody, and still takes set-ID bits
   * away, which only the owner may; or it comes before a write of anybody's, which itself will do that.
   */
  function chownToNobody(node: NodeId, caller: Caller): SetAttributes {
    const found = fileSystem.getattr(node);
    const isOwner = caller.uid === 0 || caller.uid === found.uid;
    // The bits of a directory mean something else, and stay.
    const isDirectory = (found.mode & fileTypes.S_IFMT) === fileTypes.S_IFDIR;
    const isNothingLost = isDirectory || withoutSetId(found, caller) === found.mode;
    if (isOwner || isNothingLost) return { uid: found.uid };
    if (files.hasWriter(node)) return {};
    throw new ErrnoError("EPERM", "Cannot change the owner: the file is somebody else's");
  }

  function forget(number: number, lookups: number): void {
    if (known.forget(number, lookups)) directories.forgotten(number);
  }

  return {
    [OPCODE.FORGET](request) {
      forget(request.number, request.u64(0));
      return SILENT;
    },

    // struct fuse_batch_forget_in: count u32, dummy u32; then nodeid u64, nlookup u64 of each.
    [OPCODE.BATCH_FORGET](request) {
      const end = 8 + request.u32(0) * 16;
      for (let offset = 8; offset < end; offset += 16) {
        forget(request.u64(offset), request.u64(offset + 8));
      }
      return SILENT;
    },

    // struct fuse_getattr_in: getattr_flags u32, dummy u32, fh u64.
    [OPCODE.GETATTR](request, reply) {
      const handle = (request.u32(0) & GETATTR_FH) === 0 ? undefined : request.u64(8);
      const fd = handle === undefined ? undefined : files.get(handle).fd;
      reply.attributes(0, fileSystem.getattr(request.node, fd));
      return ATTR_OUT_BYTES;
    },

    [OPCODE.SETATTR](request, reply) {
      const { node, number, caller } = request;
      const valid = request.u32(0);
      const fd = (valid & SETATTR_FLAG.FH) === 0 ? undefined : files.get(request.u64(8)).fd;
      const asked = changesOf(request, valid);
      const changes = Object.keys(asked).length > 0 ? asked : chownToNobody(node, caller);
      const isKilling = (valid & SETATTR_FLAG.KILL_SUIDGID) !== 0;
      const finish = (to: ReplyMessage): number => {
        const found = fileSystem.getattr(node, fd);
        const isChanged = isKilling && dropPrivileges(fileSystem, node, caller, found);
        to.attributes(0, isChanged ? fileSystem.getattr(node, fd) : found);
        onChanged(number);
        return ATTR_OUT_BYTES;
      };
      const changed = fileSystem.setattr(node, changes, caller, fd);
      return changed instanceof Promise ? changed.then(() => finish) : finish(reply);
    },

    [OPCODE.READLINK](request, reply) {
      const target = textToBytes(fileSystem.readlink(request.node));
      reply.body(0, target.length).set(target);
      return target.length;
    },

    // struct fuse_kstatfs: blocks, bfree, bavail, files, ffree u64; bsize, namelen, frsize u32 at 40.
    [OPCODE.STATFS](_request, reply) {
      const found = fileSystem.statfs();
      reply.body(0, STATFS_BYTES).fill(0);
      reply.u64(0, found.blocks);
      reply.u64(8, found.blocksFree);
      reply.u64(16, found.blocksAvailable);
      reply.u64(24, found.files);
      reply.u64(32, found.filesFree);
      reply.u32(40, found.blockSize);
      reply.u32(44, NAME_MAX);
      reply.u32(48, found.blockSize);
      return STATFS_BYTES;
    },

    // struct fuse_getxattr_in: size u32, padding u32; the name.
    [OPCODE.GETXATTR](request, reply) {
      const value = fileSystem.getxattr(request.node, request.text(8).text);
      return value === undefined ? -os.errno.ENODATA : sized(reply, value, request.u32(0));
    },

    [OPCODE.LISTXATTR](request, reply) {
      const names = fileSystem.listxattr(request.node).map((name) => textToBytes(`${name}\0`));
      return sized(reply, Buffer.concat(names), request.u32(0));
    },

    // struct fuse_setxattr_in: size u32, flags u32; in its long form setxattr_flags u32, padding u32; the name, the value.
    [OPCODE.SETXATTR](request) {
      const { node, caller } = request;
      const { text, next } = request.text(context.hasSetxattrFlags ? 16 : 8);
      const value = Buffer.from(request.slice(next, request.u32(0)));
      fileSystem.setxattr(node, text, value, request.u32(4), caller);
      if (context.hasSetxattrFlags && (request.u32(8) & SETXATTR_KILL_SGID) !== 0) {
        const { mode } = fileSystem.getattr(node);
        if ((mode & S_ISGID) !== 0)
          void fileSystem.setattr(node, { mode: mode & ~S_ISGID }, caller);
      }
      onChanged(request.number);
      return 0;
    },

    [OPCODE.REMOVEXATTR](request) {
      fileSystem.removexattr(request.node, request.text(0).text, request.caller);
      onChanged(request.number);
      return 0;
    },
  };
}

/** A value for a caller who has that much room, in bytes; 0 asks for its size. */
function sized(reply: ReplyMessage, value: Uint8Array, room: number): number {
  if (room === 0) {
    reply.u64(0, value.length);
    return 8;
  }
  if (value.length > room) throw new ErrnoError("ERANGE", "Cannot answer: the room is too small");
  reply.body(0, value.length).set(value);
  return value.length;
}

/**
 * ```
 * struct fuse_setattr_in   0 valid u32   8 fh u64  16 size u64  32 atime u64  40 mtime u64
 *                         56 atimensec u32  60 mtimensec u32  68 mode u32  76 uid u32  80 gid u32
 * ```
 */
function changesOf(request: RequestMessage, valid: number): SetAttributes {
  const has = (flag: number): boolean => (valid & flag) !== 0;
  const time = (flag: number, nowFlag: number, seconds: number, nanoseconds: number) => {
    if (has(nowFlag)) return "now" as const;
    if (!has(flag)) return undefined;
    return request.i64(seconds) * 1_000_000_000n + BigInt(request.u32(nanoseconds));
  };
  const atimeNs = time(SETATTR_FLAG.ATIME, SETATTR_FLAG.ATIME_NOW, 32, 56);
  const mtimeNs = time(SETATTR_FLAG.MTIME, SETATTR_FLAG.MTIME_NOW, 40, 60);
  return {
    ...(has(SETATTR_FLAG.MODE) && { mode: request.u32(68) }),
    ...(has(SETATTR_FLAG.UID) && { uid: request.u32(76) }),
    ...(has(SETATTR_FLAG.GID) && { gid: request.u32(80) }),
    ...(has(SETATTR_FLAG.SIZE) && { sizeBytes: request.size(16) }),
    ...(atimeNs !== undefined && { atimeNs }),
    ...(mtimeNs !== undefined && { mtimeNs }),
  };
}

/**
 * A file that somebody writes to must not run with its owner's rights any more (HANDLE_KILLPRIV_V2).
 *
 * @returns whether that had to be changed
 */
export function dropPrivileges(
  fileSystem: FileSystem,
  node: NodeId,
  caller: Caller,
  attributes = fileSystem.getattr(node),
): boolean {
  const mode = withoutSetId(attributes, caller);
  if (mode === attributes.mode) return false;
  void fileSystem.setattr(node, { mode }, caller);
  return true;
}
