/** Requests about open files. Of those with passthrough, only opens, closes and syncs come here. */
import { constants, readSync, writeSync } from "node:fs";

import { copyFileRange, fallocate, seekData, seekHole } from "@izo/sys";

import { ErrnoError } from "../errno.ts";
import type { ArrivingContent, Caller, Created, NodeId, Opened } from "../file-system.ts";
import { hasSetId } from "../set-id-bits.ts";
import { NO_BACKING } from "./backing-files.ts";
import { EMPTY_BODY, type HandlerContext, type Handlers, type WriteBody } from "./handler.ts";
import { dropPrivileges } from "./node-handlers.ts";
import type { OpenFile } from "./open-files.ts";
import {
  FSYNC_DATA_ONLY,
  OPCODE,
  OPEN_FLAG,
  OPEN_KILL_SUIDGID,
  WRITE_KILL_SUIDGID,
} from "./protocol.ts";
import { ENTRY_BYTES, OPEN_BYTES, type ReplyMessage } from "./reply-message.ts";
import type { RequestMessage } from "./request-message.ts";

/**
 * How long the attributes of a file may be believed that its maker can write to past here: as long as
 * the kernel's clock for inodes stands still. Programs like to ask for them at once.
 */
const CREATED_MS = 4;

const WRITE_IN_BYTES = 40;
const SEEK_DATA = 3;

export function fileHandlers(context: HandlerContext): Handlers {
  const { fileSystem, known, files, onChanged, onVolatile } = context;

  /**
   * Answers with a handle. Where the kernel will write past this process, all that belongs to a first
   * write is done now.
   *
   * A write of anybody but root takes set-ID bits away, so the kernel does not get a file that has some,
   * unless it has it already: then they go with the open.
   *
   * @param newMode of a file that was just made, which the kernel knows nothing of yet
   */
  function admit(
    reply: ReplyMessage,
    offset: number,
    node: NodeId,
    flags: number,
    { fd, keepCache }: Opened,
    caller: Caller,
    newMode?: number,
  ): number {
    const isWritable = isWriting(flags);
    const isGuarded = isWritable && hasSetId(newMode ?? fileSystem.getattr(node, fd).mode);
    // Who has closed it must not keep it with the kernel.
    if (isGuarded) context.finishIdleWork();
    const { file, backing } = files.add(node, fd, isWritable, !isGuarded);
    try {
      if (file.isPassthrough && isWritable) {
        prepareWrite(file, isGuarded && caller.uid !== 0, caller, newMode !== undefined);
        // A mapping changes the file without the kernel's noticing it here: nothing is believed from now on.
        if (newMode === undefined) onVolatile(node);
      }
    } catch (error) {
      files.release(file);
      throw error;
    }
    const data =
      backing === NO_BACKING ? (keepCache ? OPEN_FLAG.KEEP_CACHE : 0) : OPEN_FLAG.PASSTHROUGH;
    // What was written is logged when the last descriptor is closed (docs/decisions/0020).
    reply.opened(offset, fd, data | OPEN_FLAG.NOFLUSH, backing);
    return OPEN_BYTES;
  }

  /**
   * Answers with a handle of content that is arriving: each read of it comes here, and waits for its bytes.
   * Past the kernel's pages, so that a read which waits locks none, and whoever is killed in it is let go.
   * Mappings have pages all the same.
   */
  async function admitArriving(
    node: NodeId,
    { fd, keepCache, arriving }: Opened & { arriving: ArrivingContent },
  ): Promise<WriteBody> {
    files.addArriving(node, fd, arriving);
    // Before the first read can be waiting for bytes, with the lock that such a notification waits for.
    await context.pagesSettled(node);
    return (to) => {
      // Until now it took no space on disk, and fstat(2) asks nobody.
      onVolatile(node);
      const kept = keepCache ? OPEN_FLAG.KEEP_CACHE : 0;
      to.opened(0, fd, OPEN_FLAG.DIRECT_IO | kept | OPEN_FLAG.NOFLUSH, NO_BACKING);
      return OPEN_BYTES;
    };
  }

  /** Answers with a file that was just made, open. */
  function make(
    request: RequestMessage,
    reply: ReplyMessage,
    create: (mode: number, flags: number, caller: Caller) => Created,
  ): number {
    const [flags, mode] = [request.u32(0), request.u32(4)];
    const caller = { ...request.caller, umask: request.u32(8) };
    const created = create(mode, flags, caller);
    known.told(created.node);
    const bytes = admit(reply, ENTRY_BYTES, created.node, flags, created, caller, mode);
    const attributes = fileSystem.getattr(created.node, created.fd);
    reply.entry(0, created.node, attributes, CREATED_MS);
    return ENTRY_BYTES + bytes;
  }

  /** Undefined where these bytes of a file are here; who waits for others may have closed it meanwhile. */
  function untilHere(
    file: OpenFile,
    offset: number,
    length: number,
    then: WriteBody,
  ): Promise<WriteBody> | undefined {
    return file.arriving?.whenHere(offset, length)?.then(() => {
      if (!files.isOpen(file)) throw new ErrnoError("EBADF", "Cannot read: it was closed");
      return then;
    });
  }

  function prepareWrite(file: OpenFile, isKilling: boolean, caller: Caller, isNew = false): void {
    files.noteWrite(file, isNew);
    if (isKilling) dropPrivileges(fileSystem, file.node, caller);
  }

  /** What found the disk full, once more, after content has left the cache; else that error. */
  async function withRoom(
    error: unknown,
    file: OpenFile,
    bytes: number,
    again: () => WriteBody,
  ): Promise<WriteBody> {
    if (!(await fileSystem.makeRoom(bytes))) throw error;
    // Who was killed meanwhile has closed it, and its number can be another file's.
    if (!files.isOpen(file)) throw error;
    return again();
  }

  return {
    // struct fuse_open_in: flags u32, open_flags u32.
    [OPCODE.OPEN](request, reply) {
      const { node, caller } = request;
      const flags = request.u32(0);
      const isKilling = (request.u32(4) & OPEN_KILL_SUIDGID) !== 0;
      const finish = (to: ReplyMessage, opened: Opened): number => {
        if (isKilling) dropPrivileges(fileSystem, node, caller);
        return admit(to, 0, node, flags, opened, caller);
      };
      const opened = fileSystem.open(node, flags, caller, context.servesArriving);
      if (!(opened instanceof Promise)) return finish(reply, opened);
      return opened.then((late) => {
        const { arriving } = late;
        if (arriving !== undefined) return admitArriving(node, { ...late, arriving });
        return (to: ReplyMessage) => finish(to, late);
      });
    },

    // struct fuse_create_in: flags u32, mode u32, umask u32, open_flags u32; the name.
    [OPCODE.CREATE](request, reply) {
      const { name } = request.name(16);
      const bytes = make(request, reply, (mode, flags, caller) =>
        fileSystem.create(request.node, name, mode, flags, caller),
      );
      onChanged(request.number, name);
      return bytes;
    },

    // As CREATE; the name is one that the kernel uses in messages only.
    [OPCODE.TMPFILE](request, reply) {
      return make(request, reply, (mode, flags, caller) =>
        fileSystem.createNameless(request.node, mode, flags, caller),
      );
    },

    // struct fuse_read_in: fh u64, offset u64, size u32.
    [OPCODE.READ](request, reply) {
      const file = files.get(request.u64(0));
      const [offset, length] = [request.u64(8), request.u32(16)];
      const read: WriteBody = (to) => readSync(file.fd, to.body(0, length), 0, length, offset);
      return untilHere(file, offset, length, read) ?? read(reply);
    },

    // struct fuse_write_in: fh u64, offset u64, size u32, write_flags u32 …; the data. Answer: size u32.
    [OPCODE.WRITE](request, reply) {
      const file = files.get(request.u64(0));
      prepareWrite(file, (request.u32(20) & WRITE_KILL_SUIDGID) !== 0, request.caller);
      const data = request.slice(WRITE_IN_BYTES, request.u32(16));
      // Node takes an offset that it cannot count to for "where the file stands".
      const offset = request.size(8);
      const write = (bytes: Uint8Array): WriteBody => {
        const written = writeSync(file.fd, bytes, 0, bytes.length, offset);
        return (to) => {
          to.u64(0, written);
          return 8;
        };
      };
      try {
        return write(data)(reply);
      } catch (error) {
        if (!isFull(error)) throw error;
        const kept = Buffer.from(data);
        return withRoom(error, file, kept.length, () => write(kept));
      }
    },

    // Only of kernels that do not know NOFLUSH, before Linux 5.16.
    [OPCODE.FLUSH](request) {
      files.flush(files.get(request.u64(0)));
      return 0;
    },

    [OPCODE.RELEASE](request) {
      const file = files.get(request.u64(0));
      const release = (): number => {
        files.release(file);
        return 0;
      };
      // Who only read waits for nothing, and mostly opens the next file at once.
      return file.isWritable ? release() : release;
    },

    // struct fuse_fsync_in: fh u64, fsync_flags u32.
    [OPCODE.FSYNC](request) {
      const { node, fd } = files.get(request.u64(0));
      const dataOnly = (request.u32(8) & FSYNC_DATA_ONLY) !== 0;
      const synced = fileSystem.fsync(node, fd, dataOnly);
      return synced instanceof Promise ? synced.then(() => EMPTY_BODY) : 0;
    },

    // struct fuse_fallocate_in: fh u64, offset u64, length u64, mode u32.
    [OPCODE.FALLOCATE](request) {
      const file = files.get(request.u64(0));
      prepareWrite(file, request.caller.uid !== 0, request.caller);
      const mode = request.u32(24);
      const [offset, length] = [request.size(8), request.size(16)];
      try {
        fallocate(file.fd, mode, offset, length);
        return 0;
      } catch (error) {
        if (!isFull(error)) throw error;
        return withRoom(error, file, length, () => {
          fallocate(file.fd, mode, offset, length);
          return EMPTY_BODY;
        });
      }
    },

    // struct fuse_lseek_in: fh u64, offset u64, whence u32. Answer: offset u64.
    [OPCODE.LSEEK](request, reply) {
      const { fd, node, arriving } = files.get(request.u64(0));
      const from = request.u64(8);
      const isPossible = from <= Number.MAX_SAFE_INTEGER;
      const seek = request.u32(16) === SEEK_DATA ? seekData : seekHole;
      // What is not here yet is no hole.
      const seekArriving = (): number | undefined => {
        const { sizeBytes } = fileSystem.getattr(node);
        if (from >= sizeBytes) return undefined;
        return request.u32(16) === SEEK_DATA ? from : sizeBytes;
      };
      const isDense = arriving !== undefined;
      const found = !isPossible ? undefined : isDense ? seekArriving() : seek(fd, from);
      if (found === undefined) throw new ErrnoError("ENXIO", "Cannot seek: beyond the end");
      reply.u64(0, found);
      return 8;
    },

    // struct fuse_copy_file_range_in: fh_in, off_in, nodeid_out, fh_out, off_out, len, flags, all u64.
    [OPCODE.COPY_FILE_RANGE](request, reply) {
      const from = files.get(request.u64(0));
      const to = files.get(request.u64(24));
      const { caller } = request;
      const [start, at] = [request.size(8), request.size(32)];
      const isArriving = from.arriving !== undefined;
      const most = isArriving ? COPY_ARRIVING_BYTES : COPY_AT_ONCE_BYTES;
      const length = Math.min(request.u64(40), most);
      const copy: WriteBody = (answer) => {
        if (!files.isOpen(to)) throw new ErrnoError("EBADF", "Cannot copy: it was closed");
        prepareWrite(to, caller.uid !== 0, caller);
        answer.u64(0, copyFileRange(from.fd, start, to.fd, at, length));
        return 8;
      };
      return untilHere(from, start, length, copy) ?? copy(reply);
    },
  };
}

/** Whether the flags of an open allow writing. */
function isWriting(flags: number): boolean {
  return (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOSPC";
}

/** The answer counts in 32 bits, and the event loop must not be held for long; the caller asks again. */
const COPY_AT_ONCE_BYTES = 64 << 20;

/** As much of arriving content is waited for before any of it is copied. */
const COPY_ARRIVING_BYTES = 1 << 20;
