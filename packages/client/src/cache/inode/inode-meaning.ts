/**
 * What a mapped inode stands for, as its attribute `user.izo` says it.
 *
 * Layout: mode (2 bytes, big-endian: type and permissions), of a FIFO, socket or device its number (8), then
 * the mark as `object-mark.ts` has it, or nothing while the inode is in the making.
 */
import { constants } from "node:fs";

import { fstat } from "@izo/sys";

import type { InodePlace } from "./inode-form.ts";
import { statInode } from "./inode.ts";
import { getXattr, setXattr } from "./place-xattr.ts";

/** In `user.`: what a user may set on his files and directories. Never replicated, and not shown. */
export const MAPPED_MARK = "user.izo";

export const NO_MARK = Buffer.alloc(0);

export interface Meaning {
  readonly mode: number;
  readonly rdev: number;
  /** Empty while the inode is in the making. */
  readonly mark: Buffer;
}

const MODE_BYTES = 2;
const DEVICE_BYTES = 8;

const SPECIAL_TYPES: ReadonlySet<number> = new Set([
  constants.S_IFIFO,
  constants.S_IFSOCK,
  constants.S_IFCHR,
  constants.S_IFBLK,
]);

/** What an inode stands for; where it does not say so yet, what it is. */
export function meaningOf(place: InodePlace): Meaning {
  const meaning = readMeaning(place);
  if (meaning !== undefined) return meaning;
  const stat = typeof place === "number" ? fstat(place) : statInode(place);
  return { mode: stat?.mode ?? 0, rdev: 0, mark: NO_MARK };
}

/** Undefined for what has no attribute, or one that cannot be read. */
export function readMeaning(place: InodePlace): Meaning | undefined {
  const bytes = getXattr(place, MAPPED_MARK);
  if (bytes === undefined || bytes.length < MODE_BYTES) return undefined;
  const mode = bytes.readUInt16BE();
  const headerBytes = MODE_BYTES + (isSpecial(mode) ? DEVICE_BYTES : 0);
  if (bytes.length < headerBytes) return undefined;
  const rdev = isSpecial(mode) ? Number(bytes.readBigUInt64BE(MODE_BYTES)) : 0;
  return { mode, rdev, mark: bytes.subarray(headerBytes) };
}

/** @throws SysError EPERM for a true symlink or special file */
export function writeMeaning(place: InodePlace, { mode, rdev, mark }: Meaning): void {
  const header = Buffer.alloc(MODE_BYTES + (isSpecial(mode) ? DEVICE_BYTES : 0));
  header.writeUInt16BE(mode);
  if (isSpecial(mode)) header.writeBigUInt64BE(BigInt(rdev), MODE_BYTES);
  setXattr(place, MAPPED_MARK, Buffer.concat([header, mark]));
}

/** Whether a mode is that of a FIFO, socket or device. */
export function isSpecial(mode: number): boolean {
  return SPECIAL_TYPES.has(mode & constants.S_IFMT);
}
