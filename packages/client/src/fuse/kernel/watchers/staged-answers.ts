/**
 * What the driver answers to the thread that raises events: it does what somebody else has done already, so that
 * the kernel tells who watches, and nothing is changed here. Nobody else sees any of it: the kernel looks a name up
 * and makes or removes it under the lock of its directory, and is told to believe nothing of what it finds so.
 *
 * A request counts by its thread (`fuse_in_header.pid`). In another pid namespace than the mount's it would have
 * another number or none, and be taken for anybody's: so the thread first asks for a name that only it knows.
 */
import { constants as fileTypes } from "node:fs";
import { constants as os } from "node:os";

import type { Attributes, NodeId } from "../../file-system.ts";
import type { WatchedChange } from "../../watched-change.ts";
import type { Handler, HandlerContext, Handlers } from "../handler.ts";
import { tellEntry } from "../name-handlers.ts";
import { MOST_NODES, nodeOf } from "../node-number.ts";
import { OPCODE, OPEN_FLAG } from "../protocol.ts";
import { ATTR_OUT_BYTES, ENTRY_BYTES, OPEN_BYTES, type ReplyMessage } from "../reply-message.ts";
import type { RequestMessage } from "../request-message.ts";
import { NOWHERE_SUFFIX, TOKEN_ERRNO } from "./raise-event.ts";

/** The last numbers of nodes, which this mount will not come to: what is nothing but a name for a moment. */
const NOWHERE = MOST_NODES - 1;
const GONE = MOST_NODES - 2;

/** Above the numbers of descriptors, which those of handles are. */
const NO_HANDLE = 2 ** 32;

const { EBUSY, ENOENT } = os.errno;

/** Where `fuse_entry_out` says for how many seconds a name, and attributes, may be believed. */
const ENTRY_VALID = 16;
const ATTR_VALID = 24;

type Staging = Pick<HandlerContext, "fileSystem" | "known" | "directories" | "files">;

export class StagedAnswers {
  readonly #token: string;
  readonly #context: Staging;
  /** The number of the thread; 0 is nobody's. */
  #thread = 0;
  #change: WatchedChange | undefined;
  #isDone = false;

  /** @param token a name in the mount that nothing has and nobody can guess */
  constructor(token: string, context: Staging) {
    this.#token = token;
    this.#context = context;
  }

  /** From now on requests of that thread are answered as staged. */
  admit(thread: number): void {
    this.#thread = thread;
  }

  /** What the thread is about to do once more. */
  stage(change: WatchedChange | undefined): void {
    this.#change = change;
    this.#isDone = false;
  }

  /** Puts these answers before those of the file system, for the requests of the thread. */
  before(handlers: Handlers): Handlers {
    const staged: Handlers = {
      [OPCODE.LOOKUP]: (request, reply) => this.#lookUp(request, reply, handlers),
      [OPCODE.MKNOD]: (request, reply) => this.#make(request, reply, 16),
      [OPCODE.MKDIR]: (request, reply) => this.#make(request, reply, 8),
      [OPCODE.SYMLINK]: (request, reply) => this.#make(request, reply, 0),
      [OPCODE.UNLINK]: (request) => this.#remove(request),
      [OPCODE.RMDIR]: (request) => this.#remove(request),
      [OPCODE.RENAME]: (request) => this.#replace(request, 8),
      [OPCODE.RENAME2]: (request) => this.#replace(request, 16),
      [OPCODE.SETATTR]: (request, reply) => this.#sameAttributes(request, reply),
      [OPCODE.OPEN]: (request, reply) => this.#open(request, reply),
    };
    const all: Record<number, Handler> = { ...handlers };
    for (const [opcode, handler] of Object.entries(staged)) {
      const other = handlers[Number(opcode)]!;
      all[Number(opcode)] = (request, reply) =>
        request.thread === this.#thread && this.#thread !== 0
          ? handler(request, reply)
          : other(request, reply);
    }
    // Of whichever thread: the kernel may tell of it later.
    const release = handlers[OPCODE.RELEASE]!;
    all[OPCODE.RELEASE] = (request, reply) =>
      request.u64(0) === NO_HANDLE ? 0 : release(request, reply);
    return all;
  }

  #lookUp(request: RequestMessage, reply: ReplyMessage, others: Handlers): ReturnType<Handler> {
    const parent = request.node;
    const { name } = request.name(0);
    if (name === this.#token) return -os.errno[TOKEN_ERRNO];
    if (name === this.#token + NOWHERE_SUFFIX) return ghost(reply, NOWHERE, fileTypes.S_IFDIR);
    const change = this.#change;
    if (change === undefined) return others[OPCODE.LOOKUP]!(request, reply);
    // What comes from nowhere is what has the name now.
    if (parent === NOWHERE) return this.#tellOf(change, request, reply);
    const isMeant = parent === change.parent && name === change.name;
    if (!isMeant || this.#isDone) return others[OPCODE.LOOKUP]!(request, reply);
    switch (change.kind) {
      case "made":
        return -ENOENT;
      case "removed":
        return this.#tellGone(change, reply);
      case "replaced":
        return this.#tellFormer(reply, change.before, fileTypes.S_IFREG);
      case "written":
      case "attributes":
        return others[OPCODE.LOOKUP]!(request, reply);
    }
  }

  #tellGone(
    { node, isDirectory }: WatchedChange & { kind: "removed" },
    reply: ReplyMessage,
  ): number {
    const type = isDirectory ? fileTypes.S_IFDIR : fileTypes.S_IFREG;
    if (node !== undefined) return this.#tellFormer(reply, node, type);
    return ghost(reply, GONE, type);
  }

  /** What had the name; who watches it itself is told that it is gone. */
  #tellFormer(reply: ReplyMessage, node: NodeId, type: number): number {
    if (!this.#context.known.has(node)) return ghost(reply, GONE, type);
    this.#context.known.toldAgain(node);
    reply.entry(0, node, this.#attributesOf(node) ?? ghostAttributes(type));
    return disbelieved(reply, ENTRY_BYTES);
  }

  /** Undefined of an inode that is not there any more; whoever had it open would have kept it. */
  #attributesOf(node: NodeId): Attributes | undefined {
    try {
      return this.#context.fileSystem.getattr(node);
    } catch {
      return undefined;
    }
  }

  #make(request: RequestMessage, reply: ReplyMessage, names: number): number {
    const change = this.#change;
    if (change?.kind !== "made" || !this.#isAt(change, request, names)) return -EBUSY;
    this.#isDone = true;
    return this.#tellOf(change, request, reply);
  }

  #isAt(change: WatchedChange, request: RequestMessage, names: number): boolean {
    return request.node === change.parent && request.name(names).name === change.name;
  }

  #tellOf({ parent, name }: WatchedChange, request: RequestMessage, reply: ReplyMessage): number {
    const node = this.#context.fileSystem.lookup(parent, name);
    if (node === undefined) return -ENOENT;
    return disbelieved(reply, tellEntry(this.#context, request, reply, name, node));
  }

  /** A name that has been given again meanwhile stays: the kernel may know what has it now. */
  #remove(request: RequestMessage): number {
    const change = this.#change;
    if (change?.kind !== "removed" || !this.#isAt(change, request, 0)) return -EBUSY;
    const node = this.#context.fileSystem.lookup(change.parent, change.name);
    if (node === undefined) return 0;
    this.#context.fileSystem.forget(node);
    return -EBUSY;
  }

  #replace(request: RequestMessage, names: number): number {
    const change = this.#change;
    const isMeant = change?.kind === "replaced" && request.node === NOWHERE;
    if (!isMeant || nodeOf(request.u64(0)) !== change.parent) return -EBUSY;
    const { next } = request.name(names);
    if (request.name(next).name !== change.name) return -EBUSY;
    this.#isDone = true;
    return 0;
  }

  #sameAttributes({ node }: RequestMessage, reply: ReplyMessage): number {
    reply.attributes(0, this.#context.fileSystem.getattr(node));
    return ATTR_OUT_BYTES;
  }

  /** For who waits for the end of a write. A file that is in use here stays with who uses it. */
  #open({ node }: RequestMessage, reply: ReplyMessage): number {
    if (this.#context.files.isInUse(node)) return -EBUSY;
    const flags = OPEN_FLAG.DIRECT_IO | OPEN_FLAG.KEEP_CACHE | OPEN_FLAG.NOFLUSH;
    reply.opened(0, NO_HANDLE, flags, 0);
    return OPEN_BYTES;
  }
}

/** An entry that nobody may believe, nor its attributes. */
function disbelieved(reply: ReplyMessage, bodyBytes: number): number {
  reply.u64(ENTRY_VALID, 0);
  reply.u64(ATTR_VALID, 0);
  return bodyBytes;
}

/** One whose attributes nobody need ask for, because nobody could say. */
function ghost(reply: ReplyMessage, node: NodeId, type: number): number {
  reply.entry(0, node, ghostAttributes(type));
  reply.u64(ENTRY_VALID, 0);
  return ENTRY_BYTES;
}

/** Of the user of this process, who may do everything with it. */
function ghostAttributes(type: number): Attributes {
  const times = { atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n };
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const sizes = { sizeBytes: 0, blocks: 0, blockSize: 4096, rdev: 0 };
  return { ino: BigInt(NOWHERE), mode: type | 0o700, nlink: 1, ...owner, ...sizes, ...times };
}
