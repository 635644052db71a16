/** Requests about names: look-ups, and what makes, moves and removes entries. */
import { bytesToText } from "@izo/core";

import { ErrnoError } from "../errno.ts";
import type { NodeId } from "../file-system.ts";
import type { HandlerContext, Handlers } from "./handler.ts";
import { OPCODE } from "./protocol.ts";
import { ENTRY_BYTES, type ReplyMessage } from "./reply-message.ts";
import type { RequestMessage } from "./request-message.ts";

export function nameHandlers({ fileSystem, known }: HandlerContext): Handlers {
  /** Answers with an entry, and takes over the reference to its node. */
  function tell(reply: ReplyMessage, node: NodeId): number {
    known.told(node);
    reply.entry(0, node, fileSystem.getattr(node));
    return ENTRY_BYTES;
  }

  function rename(request: RequestMessage, flags: number, names: number): number {
    const from = request.name(names);
    const to = request.name(from.next);
    const target = request.u64(0);
    fileSystem.rename(request.node, from.name, target, to.name, flags, request.caller);
    return 0;
  }

  return {
    [OPCODE.LOOKUP](request, reply) {
      const node = fileSystem.lookup(request.node, request.name(0).name);
      if (node !== undefined) return tell(reply, node);
      reply.absence(0);
      return ENTRY_BYTES;
    },

    // struct fuse_mknod_in: mode u32, rdev u32, umask u32, padding u32; the name.
    [OPCODE.MKNOD](request, reply) {
      const { name } = request.name(16);
      const [mode, rdev] = [request.u32(0), request.u32(4)];
      const caller = { ...request.caller, umask: request.u32(8) };
      return tell(reply, fileSystem.mknod(request.node, name, mode, rdev, caller));
    },

    // struct fuse_mkdir_in: mode u32, umask u32; the name.
    [OPCODE.MKDIR](request, reply) {
      const { name } = request.name(8);
      const caller = { ...request.caller, umask: request.u32(4) };
      return tell(reply, fileSystem.mkdir(request.node, name, request.u32(0), caller));
    },

    // The name, then the target.
    [OPCODE.SYMLINK](request, reply) {
      const { name, next } = request.name(0);
      const target = request.slice(next);
      const text = bytesToText(target.subarray(0, target.indexOf(0)));
      return tell(reply, fileSystem.symlink(request.node, name, text, request.caller));
    },

    // struct fuse_link_in: oldnodeid u64; the new name in the directory that the header names.
    [OPCODE.LINK](request, reply) {
      const { name } = request.name(8);
      fileSystem.link(request.u64(0), request.node, name, request.caller);
      const node = fileSystem.lookup(request.node, name);
      if (node === undefined)
        throw new ErrnoError("ENOENT", "Cannot link: the name was made and is gone");
      return tell(reply, node);
    },

    [OPCODE.UNLINK](request) {
      fileSystem.unlink(request.node, request.name(0).name, request.caller);
      return 0;
    },

    [OPCODE.RMDIR](request) {
      fileSystem.rmdir(request.node, request.name(0).name, request.caller);
      return 0;
    },

    // struct fuse_rename_in: newdir u64; the old name, the new one.
    [OPCODE.RENAME]: (request) => rename(request, 0, 8),

    // struct fuse_rename2_in: newdir u64, flags u32, padding u32; the names.
    [OPCODE.RENAME2]: (request) => rename(request, request.u32(8), 16),
  };
}
