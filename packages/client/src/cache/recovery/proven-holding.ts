import { EMPTY_SHA256, NO_RECNO, type TreeObject } from "@izo/core";

import { examineContent, isHole } from "../content/examine-content.ts";
import { ABSENT, type Holding } from "../inode/object-mark.ts";

/** What a file without a mark holds of its object: nothing is here that its bytes do not prove. */
export function provenHolding(path: string, { sha256, contentVersion }: TreeObject): Holding {
  // Own content that waits for its hash: whatever is here is what waits.
  if (sha256 === null) return { state: "local", base: contentVersion };
  if (sha256 !== EMPTY_SHA256 && isHole(path)) return ABSENT;
  const found = examineContent(path);
  if (found.sha256 === sha256) return { state: "content", sha256 };
  // Which version it was made from nobody knows, so that it shall not take the place of any.
  return found.isOnlyZeros ? ABSENT : { state: "local", base: NO_RECNO };
}
