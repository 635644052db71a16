import { setTimeout as delay } from "node:timers/promises";

import type { Recno, Sha256 } from "@izo/core";

import type { OpenContent, SupersededContent } from "../export.ts";
import type { Keeper } from "../keeper.ts";

/** How often a content is looked for again while the tree is changing under it. */
const ATTEMPTS = 3;

/** The same while a local program writes to the file: some two seconds, and then the client waits. */
const CHANGING_ATTEMPTS = 40;
const CHANGING_MS = 50;

/** Opens a content for a client, which has read of it in the log: the tree may be a step ahead of that. */
export async function findContent(
  keeper: Keeper,
  sha256: Sha256,
): Promise<OpenContent | SupersededContent | null> {
  const { contents, fileset } = keeper;
  for (let attempt = 1; ; attempt += 1) {
    const found = contents.open(sha256);
    if (found !== "changing") {
      if (found?.kind === "open" || attempt >= ATTEMPTS) return found;
    } else if (attempt >= CHANGING_ATTEMPTS) {
      // It is logged when the program lets it be.
      return { kind: "superseded", recno: (fileset.ledger.position.recno + 1) as Recno };
    } else if (attempt >= ATTEMPTS) await delay(CHANGING_MS);
    // The index may be a step behind, or a file was just looked at again.
    await keeper.settled();
  }
}
