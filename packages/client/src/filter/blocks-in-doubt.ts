import { constants } from "node:fs";

import type { Stat } from "@izo/sys";

const BYTES_PER_BLOCK = 512;

/**
 * Until when what a program wrote may still be on its way to the disk. Linux writes it after 30 s
 * (`vm.dirty_expire_centisecs`), machines that save power after ten minutes.
 */
const WRITTEN_BACK_NS = 15n * 60n * 1_000_000_000n;

/**
 * Tells whether a file may for a moment be said to have fewer blocks than it has, and so must not be believed to be
 * sparse. ext4 counts first what is allocated and then what is reserved: what a write-back moves from
 * here to there between the two is in neither. A later look finds it; an answer that is kept does not, and tar(1)
 * archives a file without blocks as a hole.
 */
export function areBlocksInDoubt(
  { mode, size, blocks, ctimeNs }: Pick<Stat, "mode" | "size" | "blocks" | "ctimeNs">,
  nowNs: () => bigint,
): boolean {
  if (blocks * BYTES_PER_BLOCK >= size) return false;
  return (mode & constants.S_IFMT) === constants.S_IFREG && nowNs() - ctimeNs < WRITTEN_BACK_NS;
}
