/**
 * The first exchange on a FUSE connection: what this side wants of what the kernel offers.
 *
 * ```
 * struct fuse_init_in    0 major u32   4 minor u32   8 max_readahead u32  12 flags u32  16 flags2 u32  …
 * struct fuse_init_out   0 major u32   4 minor u32   8 max_readahead u32  12 flags u32
 *                       16 max_background u16  18 congestion_threshold u16  20 max_write u32
 *                       24 time_gran u32  28 max_pages u16  30 map_alignment u16
 *                       32 flags2 u32  36 max_stack_depth u32  … 64
 * ```
 */
import { IzoError } from "@izo/core";

import { INIT_BIT, MAJOR, MINOR, OLDEST_MINOR } from "./protocol.ts";
import type { ReplyMessage } from "./reply-message.ts";
import type { RequestMessage } from "./request-message.ts";

/** The most data of one write: 256 pages of 4 KiB, as much as the kernel asks for at once. */
export const MAX_WRITE_BYTES = 1 << 20;

const INIT_OUT_BYTES = 64;
const PAGE_BYTES = 4096;

/**
 * Requests that no program waits for may wait at once, as many as the field holds: closes are among them. More would
 * come later than what programs have asked since, and a close would be logged behind what was done after it. Who
 * mounts without root gets as many as the kernel's module allows (`max_user_bgreq`), some thousands.
 */
const MAX_BACKGROUND = 0xffff;

/** What the two sides agreed on. */
export interface Agreement {
  readonly minor: number;
  readonly hasPassthrough: boolean;
  /** SETXATTR has its long form. */
  readonly hasSetxattrFlags: boolean;
  /** What is read past the kernel's pages can be mapped all the same. */
  readonly hasDirectMappings: boolean;
}

const WANTED: readonly (keyof typeof INIT_BIT)[] = [
  "ASYNC_READ",
  "ATOMIC_O_TRUNC",
  "DONT_MASK",
  "BIG_WRITES",
  "DO_READDIRPLUS",
  "READDIRPLUS_AUTO",
  "PARALLEL_DIROPS",
  "POSIX_ACL",
  "MAX_PAGES",
  "CACHE_SYMLINKS",
  "HANDLE_KILLPRIV_V2",
  "SETXATTR_EXT",
  "INIT_EXT",
  "DIRECT_IO_ALLOW_MMAP",
  "PASSTHROUGH",
];

/**
 * Answers INIT; the length of the body of the answer, and what was agreed.
 *
 * @param stackDepth on how many file systems one upon the other the backing files may lie, themselves
 * included: 1 for a plain one, 2 for overlayfs; 0 for no passthrough
 * @throws IzoError `fuse-too-old`
 */
export function answerInit(
  request: RequestMessage,
  reply: ReplyMessage,
  stackDepth: 0 | 1 | 2,
): { readonly bodyBytes: number; readonly agreement: Agreement } {
  const [major, minor] = [request.u32(0), request.u32(4)];
  if (major !== MAJOR || minor < OLDEST_MINOR) {
    const found = `the kernel speaks FUSE ${major}.${minor}, this driver from ${MAJOR}.${OLDEST_MINOR} on`;
    throw new IzoError("fuse-too-old", `Cannot mount: ${found}`, { major, minor });
  }
  const offered = BigInt(request.u32(12)) | (BigInt(request.u32(16)) << 32n);
  let agreed = 0n;
  for (const name of WANTED) {
    if (name === "PASSTHROUGH" && stackDepth === 0) continue;
    agreed |= offered & (1n << BigInt(INIT_BIT[name]));
  }
  reply.body(0, INIT_OUT_BYTES).fill(0);
  reply.u32(0, MAJOR);
  reply.u32(4, Math.min(minor, MINOR));
  reply.u32(8, request.u32(8));
  reply.u32(12, Number(agreed & 0xffff_ffffn));
  reply.u32(16, ((MAX_BACKGROUND << 16) | MAX_BACKGROUND) >>> 0);
  reply.u32(20, MAX_WRITE_BYTES);
  // Times are exact to the nanosecond.
  reply.u32(24, 1);
  reply.u32(28, MAX_WRITE_BYTES / PAGE_BYTES);
  reply.u32(32, Number(agreed >> 32n));
  const hasPassthrough = (agreed & (1n << BigInt(INIT_BIT.PASSTHROUGH))) !== 0n;
  if (hasPassthrough) reply.u32(36, stackDepth);
  return {
    bodyBytes: INIT_OUT_BYTES,
    agreement: {
      minor: Math.min(minor, MINOR),
      hasPassthrough,
      hasSetxattrFlags: (agreed & (1n << BigInt(INIT_BIT.SETXATTR_EXT))) !== 0n,
      hasDirectMappings: (agreed & (1n << BigInt(INIT_BIT.DIRECT_IO_ALLOW_MMAP))) !== 0n,
    },
  };
}
