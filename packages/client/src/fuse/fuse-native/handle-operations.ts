/**
 * Operations on open files. Data goes between the binding's buffers and the cache file's descriptor
 * here, without asking the file system (design C2), but for the word before the first write.
 */
import { readSync, writeSync } from "node:fs";

import { NAME_MAX_BYTES } from "@izo/core";
import { copyFileRange, fallocate, seekData, seekHole } from "@izo/sys";

import { ErrnoError } from "../errno.ts";
import type { Created, NodeId, Opened } from "../file-system.ts";
import type { Operations } from "./fuse-native-binding.ts";
import type { Handle } from "./handle-table.ts";
import { markContent } from "./kept-pages.ts";
import type { Requests } from "./request.ts";

/** lseek(2); the kernel answers the other three itself. */
const seekDataWhence = 3;
const seekHoleWhence = 4;

/** Node takes an offset that it cannot count to for "where the file stands". No file is as large. */
const MOST_OFFSET = Number.MAX_SAFE_INTEGER;

interface OpenReply {
  readonly fd: number;
  readonly keepCache: boolean;
  readonly directIO: boolean;
}

export function handleOperations(requests: Requests) {
  const { fileSystem, handles, hidden, keptPages, paths } = requests;

  function open(path: string, flags: number): OpenReply | Promise<OpenReply> {
    const caller = requests.caller();
    const hiddenHandle = hidden.get(path);
    const node = hiddenHandle?.node ?? requests.acquire(path);
    const isBorrowing = hiddenHandle !== undefined;
    const admit = (opened: Opened) => admitHandle(path, node, opened, isBorrowing);
    const giveBack = (error: unknown): never => {
      if (!isBorrowing) fileSystem.forget(node);
      throw error;
    };
    try {
      const opened = fileSystem.open(node, flags, caller);
      return opened instanceof Promise ? opened.then(admit, giveBack) : admit(opened);
    } catch (error) {
      return giveBack(error);
    }
  }

  function create(path: string, mode: number, flags: number): OpenReply {
    const { parent, name } = paths.place(path);
    const created: Created = fileSystem.create(parent, name, mode, flags, requests.caller());
    return admitHandle(path, created.node, created, false);
  }

  /**
   * The kernel has one page cache per path here, the file system one content per node. Pages are shared
   * only where that is the same; the others go past the cache: a file with several names, and a path
   * that was replaced while its old content is still open.
   */
  function admitHandle(
    path: string,
    node: NodeId,
    opened: Opened,
    isBorrowing: boolean,
  ): OpenReply {
    const { mark, nlink } = markContent(opened.fd);
    const isDirect = nlink > 1 || isShared(path, node);
    // While old and new are both open, either may fill the pages: nothing is known of them afterwards.
    if (isDirect) keptPages.drop(path);
    const isKept = !isDirect && keptPages.check(path, mark);
    const handle = handles.add(node, opened.fd, path, { isDirect, isBorrowing });
    return { fd: handle.id, keepCache: opened.keepCache && isKept, directIO: isDirect };
  }

  /** Whether another node is open at this path. */
  function isShared(path: string, node: NodeId): boolean {
    for (const other of handles.at(path)) if (other.node !== node) return true;
    return false;
  }

  function announceWrite(handle: Handle): void {
    if (!handle.isWriteAnnounced || fileSystem.announcesEveryWrite === true) {
      fileSystem.willWrite(handle.node, handle.fd, false);
    }
    handle.isWriteAnnounced = true;
    handle.isWritten = true;
  }

  function write(handle: Handle, data: Buffer, length: number, position: number): number {
    announceWrite(handle);
    let written = 0;
    while (written < length) {
      try {
        written += writeSync(handle.fd, data, written, length - written, position + written);
      } catch (error) {
        // As write(2): what got through counts, the error comes with the next attempt.
        if (written > 0) return written;
        throw error;
      }
    }
    return written;
  }

  function flush(handle: Handle): void {
    handle.isWriteAnnounced = false;
    fileSystem.flush(handle.node, handle.fd);
  }

  /** Own writes went through the kernel's pages, so these are still right, if they are ours alone. */
  function noteWritten({ path, node, fd, isDirect }: Handle): void {
    const { mark, nlink } = markContent(fd);
    if (isDirect || nlink > 1 || isShared(path, node)) keptPages.drop(path);
    else keptPages.note(path, mark);
  }

  function release(handle: Handle): void {
    if (handle.isWritten) noteWritten(handle);
    try {
      fileSystem.release(handle.node, handle.fd);
    } finally {
      requests.close(handle);
    }
  }

  return {
    open(path, flags, reply) {
      requests.answer(reply, () => open(path, flags));
    },
    createWithFlags(path, mode, flags, reply) {
      requests.answer(reply, () => create(path, mode, flags));
    },
    read(_path, handle, buffer, length, position, reply) {
      requests.answerCount(reply, () =>
        position > MOST_OFFSET
          ? 0
          : readSync(handles.get(handle).fd, buffer, 0, length, Number(position)),
      );
    },
    write(_path, handle, buffer, length, position, reply) {
      requests.answerWritten(reply, length, () => {
        if (position > MOST_OFFSET)
          throw new ErrnoError("EFBIG", `Cannot write ${length} bytes at ${position}`);
        return write(handles.get(handle), buffer, length, Number(position));
      });
    },
    flush(_path, handle, reply) {
      requests.answer(reply, () => flush(handles.get(handle)));
    },
    release(_path, handle, reply) {
      requests.answer(reply, () => release(handles.get(handle)));
    },
    fsync(_path, dataOnly, handle, reply) {
      requests.answer(reply, () => {
        const { node, fd } = handles.get(handle);
        return fileSystem.fsync(node, fd, dataOnly);
      });
    },
    fallocate(_path, handle, mode, offset, length, reply) {
      requests.answer(reply, () => {
        const target = handles.get(handle);
        announceWrite(target);
        fallocate(target.fd, mode, offset, length);
      });
    },
    lseek(_path, handle, offset, whence, reply) {
      requests.answer(reply, () => seek(handles.get(handle).fd, Number(offset), whence));
    },
    copyFileRange(_from, source, sourceOffset, _to, target, targetOffset, length, _flags, reply) {
      requests.answerCount(reply, () => {
        const destination = handles.get(target);
        announceWrite(destination);
        const from = handles.get(source).fd;
        return copyFileRange(from, sourceOffset, destination.fd, targetOffset, length);
      });
    },
    statfs(_path, reply) {
      requests.answer(reply, () => {
        const statistics = fileSystem.statfs();
        return {
          bsize: statistics.blockSize,
          frsize: statistics.blockSize,
          blocks: statistics.blocks,
          bfree: statistics.blocksFree,
          bavail: statistics.blocksAvailable,
          files: statistics.files,
          ffree: statistics.filesFree,
          favail: statistics.filesFree,
          namemax: NAME_MAX_BYTES,
        };
      });
    },
  } satisfies Operations;
}

function seek(fd: number, offset: number, whence: number): number {
  const found =
    whence === seekDataWhence
      ? seekData(fd, offset)
      : whence === seekHoleWhence
        ? seekHole(fd, offset)
        : fail(whence);
  if (found !== undefined) return found;
  throw new ErrnoError("ENXIO", `Cannot seek from ${offset}: nothing follows`);
}

function fail(whence: number): never {
  throw new ErrnoError("EINVAL", `Cannot seek: whence ${whence} is not known`);
}
