import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { openKmlReader, verifyLog, type Recno } from "@izo/core";
import { nodeDisk } from "@izo/sys";

import { putIndexAside } from "../db/open-index.ts";
import { lockInstance } from "../log/instance-lock.ts";
import { findAnchor } from "../log/start-from-anchor.ts";
import { openFileset, sha256 } from "./open-fileset.ts";
import { findStateDirectory } from "./state-directory.ts";

export interface ReindexOptions {
  /** The exported directory; nobody may be serving it. */
  readonly dir: string;
  /** `rootfset` by default. */
  readonly filesetName?: string;
  /** Told how far the log is replayed. */
  readonly onProgress?: (recno: Recno, head: Recno) => void;
}

export interface Reindexed {
  /** Records that the new index was made from. */
  readonly records: number;
  /** Where the old index is now; null where there was none. */
  readonly putAside: string | null;
}

/**
 * Makes the index of an export anew from its log (design D7). The old one is kept under another name.
 * What a crash leaves is an index that lags, and the next start goes on from there.
 *
 * The new index does not know the stats of the disk: the next start hashes every file once, and an equal
 * hash logs nothing.
 *
 * @throws ExportError, AlreadyServedError, KmlDamageError, KmlVersionError, AnchorMissingError
 */
export async function reindexExport(options: ReindexOptions): Promise<Reindexed> {
  const { filesetName = "rootfset", onProgress } = options;
  const dir = resolve(options.dir);
  const paths = findStateDirectory(dir, filesetName);
  let putAside: string | null = null;
  {
    using _ = lockInstance(paths.lock, dir);
    // A log that cannot be read gives no index: then the old one stays where it is.
    for (const segment of verifyLog(nodeDisk, paths.kml, sha256)) void segment;
    await findAnchor(paths.anchors, openKmlReader(nodeDisk, paths.kml, sha256));
    if (existsSync(paths.index)) putAside = putIndexAside(paths.index, Date.now());
  }
  await using opened = await openFileset({
    dir,
    filesetName,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    noteProblem: () => {},
    clearProblem: () => {},
    ...(onProgress && { onIndexing: onProgress }),
  });
  return { records: opened.fileset.ledger.position.recno, putAside };
}
