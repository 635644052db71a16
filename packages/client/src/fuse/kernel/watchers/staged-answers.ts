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

import type { Name } from "@izo/core";

import type { EntryName } from "../../entry-name.ts";
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
  /** The thread has found out who answers, and begins. */
  #isBegun = false;
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
    this.#isBegun = false;
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
      [OPCODE.RENAME]: (request) => this.#rename(request, 8),
      [OPCODE.RENAME2]: (request) => this.#rename(request, 16),
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
    if (name === this.#token) {
      this.#isBegun = true;
      return -os.errno[TOKEN_ERRNO];
    }
    if (name === this.#token + NOWHERE_SUFFIX) return ghost(reply, NOWHERE, fileTypes.S_IFDIR);
    const change = this.#change;
    if (change === undefined) return others[OPCODE.LOOKUP]!(request, reply);
    // What comes from nowhere is what has the name now.
    if (parent === NOWHERE) return this.#tellOf(change, request, reply);
    const isStaged = this.#isBegun && !this.#isDone;
    const staged = isStaged ? this.#staged(change, request, reply, name) : undefined;
    return staged ?? others[OPCODE.LOOKUP]!(request, reply);
  }

  /** Undefined where a name leads to what it says. */
  #staged(
    change: WatchedChange,
    request: RequestMessage,
    reply: ReplyMessage,
    name: Name,
  ): number | undefined {
    const parent = request.node;
    const isFrom = (place: EntryName): boolean => parent === place.parent && name === place.name;
    if (change.kind === "moved" && isFrom(change.from)) return this.#tellMoved(change, reply);
    if (!isFrom(change)) return undefined;
    switch (change.kind) {
      case "made":
        return -ENOENT;
      case "moved":
      case "replaced":
        if (change.before === undefined) return -ENOENT;
        return this.#tellFormer(reply, change.before, fileTypes.S_IFREG);
      case "removed":
        return this.#tellGone(change, reply);
      case "written":
      case "attributes":
        return undefined;
    }
  }

  /** The kernel's own entry of a directory, with what is open there, goes along with the name that it had. */
  #tellMoved({ parent, name }: WatchedChange, reply: ReplyMessage): number {
    const { fileSystem, known } = this.#context;
    const node = fileSystem.lookup(parent, name);
    if (node === undefined) return -ENOENT;
    known.told(node);
    reply.entry(0, node, fileSystem.getattr(node));
    return disbelieved(reply, ENTRY_BYTES);
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

  #isAt(change: EntryName, request: RequestMessage, names: number): boolean {
    return isSame({ parent: request.node, name: request.name(names).name }, change);
  }

  #tellOf({ parent, name }: WatchedChange, request: RequestMessage, reply: ReplyMessage): number {
    const node = this.#context.fileSystem.lookup(parent, name);
    if (node === undefined) return -ENOENT;
    return disbelieved(reply, tellEntry(this.#context, request, reply, name, node));
  }

  #remove(request: RequestMessage): number {
    const change = this.#change;
    const isMeant = change?.kind === "removed" && this.#isAt(change, request, 0);
    return isMeant && this.#isFree(change) ? 0 : -EBUSY;
  }

  /** A name that has been given again meanwhile stays: the kernel may know what has it now. */
  #isFree({ parent, name }: EntryName): boolean {
    const node = this.#context.fileSystem.lookup(parent, name);
    if (node !== undefined) this.#context.fileSystem.forget(node);
    return node === undefined;
  }

  #rename(request: RequestMessage, names: number): number {
    const change = this.#change;
    const from = request.name(names);
    const to = { parent: nodeOf(request.u64(0)), name: request.name(from.next).name };
    if (change === undefined || !isSame(to, change)) return -EBUSY;
    const isMeant =
      change.kind === "moved"
        ? isSame({ parent: request.node, name: from.name }, change.from) &&
          this.#isFree(change.from)
        : change.kind === "replaced" && request.node === NOWHERE;
    if (!isMeant) return -EBUSY;
    this.#isDone = true;
    if (change.kind === "moved") this.#noteMove(change, request);
    return 0;
  }

  #noteMove({ parent, name }: WatchedChange, request: RequestMessage): void {
    const { fileSystem, directories } = this.#context;
    const node = fileSystem.lookup(parent, name);
    if (node === undefined) return;
    directories.moved(node, request.number, request.u64(0), request.thread);
    fileSystem.forget(node);
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

function isSame(one: EntryName, other: EntryName): boolean {
  return one.parent === other.parent && one.name === other.name;
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
