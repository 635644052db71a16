/**
 * Tells the kernel what it must not believe any more (design C7): `fuse_notify_inval_entry_out` and
 * `fuse_notify_inval_inode_out`.
 *
 * The kernel makes the writer wait for the lock of the directory, which a request may hold that is still
 * to be answered here. So notifications are written on libuv's pool and never by the event loop: one at
 * a time, for each may wait for a lock.
 *
 * One about pages waits for those that a read is to fill, and a read of arriving content may wait for the
 * network: it would hold up all the others. So there is none about such a node, see `ArrivingContent`.
 */
import { write, writeSync } from "node:fs";
import { promisify } from "node:util";

import { type Name, textToBytes } from "@izo/core";

import type { NodeId } from "../file-system.ts";
import { NOTIFY, OUT_HEADER_BYTES } from "./protocol.ts";

const writeMessage = promisify(write);

/** An offset before the file: none of its pages are meant. */
const ATTRIBUTES_ONLY = -1n;

export interface NotificationsOptions {
  /** Whether a read of the node can wait for content that is arriving. */
  readonly mayWait: (node: NodeId) => boolean;
  readonly onError: (error: unknown) => void;
}

interface Message {
  readonly bytes: Buffer;
  /** Of which node it says that its pages are out of date. */
  readonly node?: NodeId;
}

export class Notifications {
  readonly #fd: number;
  readonly #mayWait: NotificationsOptions["mayWait"];
  readonly #onError: NotificationsOptions["onError"];
  readonly #waiting = new Map<string, Message>();
  #writing: { readonly node: NodeId | undefined; readonly done: Promise<void> } | undefined;
  #sending: Promise<void> | undefined;
  #isClosed = false;

  constructor(fd: number, { mayWait, onError }: NotificationsOptions) {
    this.#fd = fd;
    this.#mayWait = mayWait;
    this.#onError = onError;
  }

  /** What `name` leads to has changed, if only that it is there now or not any more. */
  invalidateEntry(parent: NodeId, name: Name): void {
    this.#add(`${parent}/${name}`, () => ({ bytes: entryMessage(parent, textToBytes(name)) }));
    // A name that the kernel never met changes the listing that it keeps all the same.
    this.invalidateNode(parent);
  }

  /** Attributes and content of `node` have changed. */
  invalidateNode(node: NodeId): void {
    this.#add(String(node), () => ({ bytes: nodeMessage(node), node }));
  }

  /**
   * The kernel shall ask again for the attributes of `node`, and keep its pages. This is the one
   * notification that waits for no lock, so it is done when this returns, also inside of a request.
   */
  forgetAttributes(node: NodeId): void {
    const message = nodeMessage(node, ATTRIBUTES_ONLY);
    try {
      writeSync(this.#fd, message);
    } catch (error) {
      if (!this.#isClosed && !hasCode(error, "ENOENT")) this.#onError(error);
    }
  }

  /**
   * Resolves when none about pages of `node` is being written any more. Those that wait still will only be
   * about its attributes, from the moment on in which it may wait.
   */
  async pagesSettled(node: NodeId): Promise<void> {
    if (this.#writing?.node === node) await this.#writing.done;
  }

  /** Resolves when all that was asked for before is done. */
  async drained(): Promise<void> {
    await this.#sending;
  }

  /** Drops what waits; resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    await this.#sending;
  }

  #add(key: string, message: () => Message): void {
    if (this.#isClosed || this.#waiting.has(key)) return;
    this.#waiting.set(key, message());
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    for (const [key, message] of this.#waiting) {
      // Taken out first: what changes while this one is written is told once more.
      this.#waiting.delete(key);
      const { node } = message;
      if (node !== undefined && this.#mayWait(node)) {
        this.forgetAttributes(node);
        continue;
      }
      const done = this.#write(message.bytes);
      this.#writing = { node, done };
      // oxlint-disable-next-line no-await-in-loop -- one at a time, see above
      await done;
    }
    this.#writing = undefined;
    this.#sending = undefined;
  }

  async #write(message: Buffer): Promise<void> {
    try {
      await writeMessage(this.#fd, message);
    } catch (error) {
      // ENOENT: the kernel does not know it, so there is nothing that it could believe.
      if (!this.#isClosed && !hasCode(error, "ENOENT")) this.#onError(error);
    }
  }
}

/** After the header: parent u64, namelen u32, flags u32; the name with a NUL byte. */
function entryMessage(parent: NodeId, name: Uint8Array): Buffer {
  const message = notification(NOTIFY.INVAL_ENTRY, 16 + name.length + 1);
  message.writeBigUInt64LE(BigInt(parent), OUT_HEADER_BYTES);
  message.writeUInt32LE(name.length, OUT_HEADER_BYTES + 8);
  message.set(name, OUT_HEADER_BYTES + 16);
  return message;
}

/** After the header: ino u64, off i64, len i64; 0 and 0 are all of its pages. */
function nodeMessage(node: NodeId, offset = 0n): Buffer {
  const message = notification(NOTIFY.INVAL_INODE, 24);
  message.writeBigUInt64LE(BigInt(node), OUT_HEADER_BYTES);
  message.writeBigInt64LE(offset, OUT_HEADER_BYTES + 8);
  return message;
}

/** A message without a request: its number is 0, and the code stands in place of an errno. */
function notification(code: number, bodyBytes: number): Buffer {
  const message = Buffer.alloc(OUT_HEADER_BYTES + bodyBytes);
  message.writeUInt32LE(message.length, 0);
  message.writeInt32LE(code, 4);
  return message;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
