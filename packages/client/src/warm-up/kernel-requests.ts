/** Requests as the kernel writes them, without their headers: for {@link ScriptedKernel}. */
import { constants } from "node:fs";

import { INIT_BIT, MAJOR, MINOR, OPCODE, SETATTR_FLAG } from "../fuse/kernel/protocol.ts";

/** A request without its header. Numbers of nodes and handles are below 2^32 here. */
export interface KernelRequest {
  readonly opcode: number;
  readonly node: number;
  readonly body: Uint8Array;
}

const UMASK = 0o22;
const FILE_MODE = constants.S_IFREG | 0o644;
const DIRECTORY_MODE = 0o755;
/** As much as the kernel asks for at once of a listing. */
const LISTING_BYTES = 4096;

export function init(): KernelRequest {
  const flags2 = 1 << (INIT_BIT.PASSTHROUGH - 32);
  return request(OPCODE.INIT, 0, words(MAJOR, MINOR, 0, 0xffff_ffff, flags2));
}

export function lookup(directory: number, name: string): KernelRequest {
  return request(OPCODE.LOOKUP, directory, names(name));
}

export function forget(node: number): KernelRequest {
  return request(OPCODE.FORGET, node, words(1, 0));
}

export function getattr(node: number): KernelRequest {
  return request(OPCODE.GETATTR, node, words(0, 0, 0, 0));
}

/** chmod(2). */
export function setMode(node: number, mode: number): KernelRequest {
  const fields = Buffer.alloc(88);
  fields.writeUInt32LE(SETATTR_FLAG.MODE, 0);
  fields.writeUInt32LE(mode, 68);
  return request(OPCODE.SETATTR, node, fields);
}

export function getxattr(node: number, name: string, room: number): KernelRequest {
  return request(OPCODE.GETXATTR, node, words(room, 0), names(name));
}

export function mkdir(directory: number, name: string): KernelRequest {
  return request(OPCODE.MKDIR, directory, words(DIRECTORY_MODE, UMASK), names(name));
}

export function create(directory: number, name: string, flags: number): KernelRequest {
  return request(OPCODE.CREATE, directory, words(flags, FILE_MODE, UMASK, 0), names(name));
}

export function open(node: number, flags: number): KernelRequest {
  return request(OPCODE.OPEN, node, words(flags, 0));
}

export function release(node: number, handle: number): KernelRequest {
  return request(OPCODE.RELEASE, node, words(handle, 0, 0, 0, 0, 0));
}

export function unlink(directory: number, name: string): KernelRequest {
  return request(OPCODE.UNLINK, directory, names(name));
}

/** Within one directory. */
export function rename(directory: number, name: string, newName: string): KernelRequest {
  return request(OPCODE.RENAME2, directory, words(directory, 0, 0, 0), names(name, newName));
}

export function opendir(directory: number): KernelRequest {
  return request(OPCODE.OPENDIR, directory, words(0, 0));
}

/** @param opcode READDIR or READDIRPLUS */
export function readdir(
  opcode: number,
  directory: number,
  handle: number,
  position: bigint,
): KernelRequest {
  const body = Buffer.from(words(handle, 0, 0, 0, LISTING_BYTES, 0, 0, 0, 0, 0));
  body.writeBigInt64LE(position, 8);
  return request(opcode, directory, body);
}

export function releasedir(directory: number, handle: number): KernelRequest {
  return request(OPCODE.RELEASEDIR, directory, words(handle, 0, 0, 0, 0, 0));
}

function request(opcode: number, node: number, ...parts: readonly Uint8Array[]): KernelRequest {
  return { opcode, node, body: Buffer.concat(parts) };
}

/** Numbers of 32 bits; those of 64 are two of them, the lower one first. */
function words(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(numbers).buffer);
}

function names(...each: readonly string[]): Uint8Array {
  return Buffer.from(each.map((name) => `${name}\0`).join(""));
}
