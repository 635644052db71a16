import { readdirSync } from "node:fs";

import { IzoError, ROOT_OID } from "@izo/core";

import type { InodeForm } from "../inode/inode-form.ts";
import { ABSENT, type Holding } from "../inode/object-mark.ts";
import { osPath } from "./cache-paths.ts";

/** Nothing in the cache says any more what it is, so no content can be told from a placeholder's zeros. */
class CacheMarksLostError extends IzoError {
  constructor(treePath: string) {
    super(
      "cache-marks-lost",
      `Cannot use the cache tree "${treePath}": its files have lost their marks, the extended attributes "trusted.izo" or "user.izo"`,
      { treePath },
    );
  }
}

/**
 * What the cache tree's own directory holds; a new one is marked. The root is marked before anything is
 * made in it, so that one without a mark has come from a copy that left the attributes out.
 *
 * @throws CacheMarksLostError, having changed nothing
 */
export function openRoot(form: InodeForm, treePath: string): Holding {
  const mark = form.readMark(treePath);
  if (mark !== undefined) return mark.holding;
  if (readdirSync(osPath(treePath)).length > 0) throw new CacheMarksLostError(treePath);
  form.writeMark(treePath, { oid: ROOT_OID, holding: ABSENT });
  return ABSENT;
}
