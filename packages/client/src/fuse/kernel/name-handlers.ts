/** Requests about names: look-ups, and what makes, moves and removes entries. */
import { constants } from "node:fs";

import { bytesToText, type Name } from "@izo/core";

import { ErrnoError } from "../errno.ts";
import type { Attributes, NodeId } from "../file-system.ts";
import type { HandlerContext, Handlers } from "./handler.ts";
import { nodeOf } from "./node-number.ts";
import { OPCODE } from "./protocol.ts";
import { ENTRY_BYTES, type ReplyMessage } from "./reply-message.ts";
import type { RequestMessage } from "./request-message.ts";

/** Of renameat2(2). */
const RENAME_EXCHANGE = 2;

export function nameHandlers(context: HandlerContext): Handlers {
  const { fileSystem, known, directories, onChanged } = context;

  /** As {@link tellEntry}, of what was just made. */
  function made(request: RequestMessage, reply: ReplyMessage, name: Name, node: NodeId): number {
    onChanged(request.number, name);
    return tellEntry(context, request, reply, name, node);
  }

  function rename(request: RequestMessage, flags: number, names: number): number {
    const from = { number: request.number, ...request.name(names) };
    const to = { number: request.u64(0), ...request.name(from.next) };
    fileSystem.rename(request.node, from.name, nodeOf(to.number), to.name, flags, request.caller);
    const thread = request.caller.pid;
    noteMove(from.number, to, thread);
    if ((flags & RENAME_EXCHANGE) !== 0) noteMove(to.number, from, thread);
    onChanged(from.number, from.name);
    onChanged(to.number, to.name);
    return 0;
  }

  /** Where the kernel's entry of a directory has gone; one of a further number shall not stay there either. */
  function noteMove(from: number, to: { number: number; name: Name }, thread: number): void {
    // Within one directory only an entry of a further number matters.
    if (from === to.number && !known.hasFurther) return;
    const node = fileSystem.lookup(nodeOf(to.number), to.name);
    if (node === undefined) return;
    const moved = directories.moved(node, from, to.number, thread);
    fileSystem.forget(node);
    if (moved !== undefined && moved !== node) context.onFurther(to.number, to.name);
  }

  return {
    [OPCODE.LOOKUP](request, reply) {
      const { name } = request.name(0);
      const node = fileSystem.lookup(request.node, name);
      if (node !== undefined) return tellEntry(context, request, reply, name, node);
      reply.absence(0);
      return ENTRY_BYTES;
    },

    // struct fuse_mknod_in: mode u32, rdev u32, umask u32, padding u32; the name.
    [OPCODE.MKNOD](request, reply) {
      const { name } = request.name(16);
      const [mode, rdev] = [request.u32(0), request.u32(4)];
      const caller = { ...request.caller, umask: request.u32(8) };
      const node = fileSystem.mknod(request.node, name, mode, rdev, caller);
      return made(request, reply, name, node);
    },

    // struct fuse_mkdir_in: mode u32, umask u32; the name.
    [OPCODE.MKDIR](request, reply) {
      const { name } = request.name(8);
      const caller = { ...request.caller, umask: request.u32(4) };
      const node = fileSystem.mkdir(request.node, name, request.u32(0), caller);
      return made(request, reply, name, node);
    },

    // The name, then the target.
    [OPCODE.SYMLINK](request, reply) {
      const { name, next } = request.name(0);
      const target = request.slice(next);
      const text = bytesToText(target.subarray(0, target.indexOf(0)));
      const node = fileSystem.symlink(request.node, name, text, request.caller);
      return made(request, reply, name, node);
    },

    // struct fuse_link_in: oldnodeid u64; the new name in the directory that the header names.
    [OPCODE.LINK](request, reply) {
      const { name } = request.name(8);
      fileSystem.link(request.u64(0), request.node, name, request.caller);
      const node = fileSystem.lookup(request.node, name);
      if (node === undefined)
        throw new ErrnoError("ENOENT", "Cannot link: the name was made and is gone");
      return made(request, reply, name, node);
    },

    [OPCODE.UNLINK](request) {
      const { name } = request.name(0);
      fileSystem.unlink(request.node, name, request.caller);
      onChanged(request.number, name);
      return 0;
    },

    [OPCODE.RMDIR](request) {
      const { name } = request.name(0);
      fileSystem.rmdir(request.node, name, request.caller);
      onChanged(request.number, name);
      return 0;
    },

    // struct fuse_rename_in: newdir u64; the old name, the new one.
    [OPCODE.RENAME]: (request) => rename(request, 0, 8),

    // struct fuse_rename2_in: newdir u64, flags u32, padding u32; the names.
    [OPCODE.RENAME2]: (request) => rename(request, request.u32(8), 16),
  };
}

/** Answers with what is under a name, and takes over the reference to its node. */
export function tellEntry(
  { fileSystem, known, directories }: Pick<HandlerContext, "fileSystem" | "known" | "directories">,
  { number: parent, thread }: RequestMessage,
  reply: ReplyMessage,
  name: Name,
  node: NodeId,
): number {
  const attributes = fileSystem.getattr(node);
  const number = isDirectory(attributes) ? directories.answer(parent, name, node, thread) : node;
  known.told(number);
  reply.entry(0, number, attributes);
  return ENTRY_BYTES;
}

function isDirectory({ mode }: Attributes): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR;
}
