import { constants, writeSync } from "node:fs";

import { rootNode } from "../fuse/file-system.ts";
import { OPCODE } from "../fuse/kernel/protocol.ts";
import { ENTRY_BYTES } from "../fuse/kernel/reply-message.ts";
import * as ask from "./kernel-requests.ts";
import type { Script } from "./scripted-kernel.ts";

const FILES_IN_DIRECTORY = 100;
const CONTENT = Buffer.alloc(1024);
const { O_RDONLY, O_WRONLY } = constants;

/**
 * What the kernel asks while programs make, save, read, change, list and remove `files` small files: unpacking,
 * checking out, building.
 */
export function* useFiles(files: number): Script {
  yield ask.init();
  let directory = rootNode;
  for (let index = 0; index < files; index += 1) {
    if (index % FILES_IN_DIRECTORY === 0) {
      directory = nodeIn(yield ask.mkdir(rootNode, `directory-${index}`));
    }
    const name = `file-${index}`;
    const node = yield* make(directory, name);
    if (index % 2 === 0) yield* readAndChange(node);
    if (index % 4 === 0) yield* save(directory, `${name}.tmp`, name);
    if (index % 4 === 1) yield* remove(directory, name, node);
    if (index % FILES_IN_DIRECTORY === FILES_IN_DIRECTORY - 1) {
      yield* list(OPCODE.READDIRPLUS, directory);
      yield* list(OPCODE.READDIR, directory);
    }
  }
}

function* make(directory: number, name: string): Generator<ask.KernelRequest, number, Buffer> {
  yield ask.getattr(directory);
  yield ask.lookup(directory, name);
  const created = yield ask.create(directory, name, O_WRONLY);
  const node = nodeIn(created);
  // The number of a handle is that of its descriptor, and the data is the kernel's affair.
  const handle = created.readUInt32LE(ENTRY_BYTES);
  yield ask.getxattr(node, "security.capability", 20);
  writeSync(handle, CONTENT);
  yield ask.release(node, handle);
  yield ask.getattr(node);
  return node;
}

function* readAndChange(node: number): Script {
  const handle = (yield ask.open(node, O_RDONLY)).readUInt32LE(0);
  yield ask.release(node, handle);
  yield ask.setMode(node, 0o600);
}

/** As editors do: a new file takes the place of the old one. */
function* save(directory: number, temporary: string, name: string): Script {
  yield* make(directory, temporary);
  yield ask.getattr(directory);
  yield ask.lookup(directory, name);
  yield ask.rename(directory, temporary, name);
}

function* remove(directory: number, name: string, node: number): Script {
  yield ask.getattr(directory);
  yield ask.unlink(directory, name);
  yield ask.forget(node);
}

function* list(opcode: number, directory: number): Script {
  const handle = (yield ask.opendir(directory)).readUInt32LE(0);
  const headBytes = opcode === OPCODE.READDIRPLUS ? ENTRY_BYTES : 0;
  let position = 0n;
  for (;;) {
    const listed = yield ask.readdir(opcode, directory, handle, position);
    if (listed.length === 0) break;
    position = lastPosition(listed, headBytes);
  }
  yield ask.releasedir(directory, handle);
}

/** Where a listing goes on: `off` of the last `struct fuse_dirent`, each after `headBytes`. */
function lastPosition(listed: Buffer, headBytes: number): bigint {
  let position = 0n;
  for (let at = headBytes; at < listed.length;) {
    position = listed.readBigInt64LE(at + 8);
    const nameBytes = listed.readUInt32LE(at + 16);
    at += headBytes + ((24 + nameBytes + 7) & ~7);
  }
  return position;
}

/** The number of the node in a `struct fuse_entry_out`. */
function nodeIn(entry: Buffer): number {
  return entry.readUInt32LE(0);
}
