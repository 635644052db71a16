import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

import {
  IzoError,
  KmlDamageError,
  loadPending,
  NoLogError,
  openKmlReader,
  Replica,
  type KmlRecord,
  type PeerId,
  type Recno,
  type StateReader,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";

import { lockCache } from "../cache/cache-lock.ts";
import { UseNote } from "../cache/quota/use-note.ts";
import { describeDamage } from "../db/index-damage.ts";
import { openIndexReader, type ClientIndex } from "../db/open-index.ts";
import { SqlState } from "../db/sql-state.ts";
import { NOTHING_ACKNOWLEDGED, StandingTable } from "../db/standing.ts";
import { readPeerId } from "../log/peer-id.ts";
import { readCacheIdentity } from "../sync/replica/cache-identity.ts";
import type { InspectedCache } from "./inspect-cache.ts";

/** The directory is no cache of ours, or nothing was ever mounted with it. */
class NoCacheError extends IzoError {
  constructor(cacheDir: string) {
    super("no-cache", `Cannot find a cache in "${cacheDir}": it was never mounted`, { cacheDir });
  }
}

/**
 * Reads a cache that no mount uses, as the next mount would find it, and changes nothing but its lock.
 * Disposing of it unlocks.
 *
 * @throws NoCacheError, CacheInUseError, InvalidCacheError
 */
export function readCache(cacheDir: string): InspectedCache & Disposable {
  const sysid = join(cacheDir, "sysid");
  if (readCacheIdentity(cacheDir) === undefined || !existsSync(sysid)) {
    throw new NoCacheError(cacheDir);
  }
  using held = new DisposableStack();
  const { form } = held.use(lockCache(cacheDir));
  const peer = readPeerId(sysid)!;
  const opened = openReadable(join(cacheDir, "index.sqlite"));
  if (typeof opened !== "string") held.defer(() => opened.sqlite.close());
  const damage = typeof opened === "string" ? opened : describeDamage(opened.sqlite);
  const { visible, recno } = readVisible(cacheDir, peer, damage === null ? opened : damage);
  const notices =
    new UseNote(cacheDir).read() === "closed"
      ? []
      : ["the last use did not end well: the next mount compares it and puts it right"];
  const moved = held.move();
  return {
    cacheDir,
    form,
    peer,
    recno,
    visible: visible && (() => visible),
    indexDamage: damage,
    notices,
    isMounted: false,
    [Symbol.dispose]: () => moved.dispose(),
  };
}

function openReadable(path: string): Pick<ClientIndex, "sqlite" | "orm"> | string {
  try {
    return openIndexReader(path);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Without an index nothing is known of the tree, and nothing is compared with it. */
function readVisible(
  cacheDir: string,
  peer: PeerId,
  index: Pick<ClientIndex, "sqlite" | "orm"> | string,
): { visible: StateReader | null; recno: Recno } {
  const nothing = { visible: null, recno: 0 as Recno };
  if (typeof index === "string") return nothing;
  const standing = new StandingTable(index).read(peer);
  if (standing === undefined) return nothing;
  const state = new SqlState(index.sqlite, peer);
  const { pending } = loadPending(peer, readOwnLog(cacheDir, peer), state);
  const { recno } = standing.position;
  const acknowledged = standing.acknowledged ?? NOTHING_ACKNOWLEDGED;
  return { visible: new Replica(state, recno, pending, acknowledged).visible, recno };
}

function* readOwnLog(cacheDir: string, peer: PeerId): Generator<KmlRecord> {
  const path = join(cacheDir, "kml", peer);
  try {
    const log = openKmlReader(nodeDisk, path, (bytes) => hash("sha256", bytes, "buffer"));
    for (const scanned of log.read((log.oldest - 1) as Recno)) yield scanned.decode();
  } catch (error) {
    // What is wrong with it is found by the check of the log itself.
    if (!(error instanceof NoLogError || error instanceof KmlDamageError)) throw error;
  }
}
