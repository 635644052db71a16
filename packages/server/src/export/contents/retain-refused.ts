import { EMPTY_SHA256, type Sha256 } from "@izo/core";
import { fstatat, renameat2 } from "@izo/sys";

import { noteRetained } from "../../db/contents.ts";
import type { Fileset } from "../fileset.ts";

/**
 * Keeps the content of a CLOSE that was refused with the old contents (design D8), so that it can be
 * fetched by its hash. A content that is not in staging stands in the tree, or is kept already. A crash
 * before the note makes it unknown: its author, who has not seen the refusal, uploads it again.
 */
export function retainRefused(fileset: Fileset, sha256: Sha256): void {
  if (sha256 === EMPTY_SHA256) return;
  const { contentsFd, objectsFd } = fileset;
  const options = { noFollow: true, throwIfNoEntry: false } as const;
  if (fstatat(contentsFd, sha256, options) === undefined) return;
  renameat2(contentsFd, sha256, objectsFd, sha256);
  const kept = fstatat(objectsFd, sha256, { noFollow: true });
  noteRetained(fileset.connection, sha256, kept, Number(fileset.nowNs() / 1_000_000n));
}
