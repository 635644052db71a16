import { type Base, basesOf, type PendingRecord, type Recno, type TreeObject } from "@izo/core";

import type { ChangeLog } from "../cache/change-log.ts";

/** What only this machine knows of a content that is about to end. */
export interface EndingContent {
  /** The content version before the open CLOSEs: the one that a removal names. */
  readonly base: Base;
  /** Open CLOSEs that nobody can seal any more. */
  readonly closes: readonly Recno[];
}

/** The open CLOSEs on which an object's content is built, and the version below them (design D9). */
export function findOpenCloses(
  log: ChangeLog,
  { contentVersion, sha256 }: TreeObject,
): EndingContent {
  // Content without a hash is what an open CLOSE leaves, also under the record of an atomic save.
  if (sha256 !== null) return { base: contentVersion, closes: [] };
  const closes: Recno[] = [];
  let base = contentVersion;
  for (let close = openClose(log, base); close !== undefined; close = openClose(log, base)) {
    if (close.operation.opcode !== "CLOSE") break;
    closes.push(close.recno);
    base = close.operation.contentBase;
  }
  const below = ownRecord(log, base);
  return { base, closes: below === undefined ? closes : [...closes, ...closesBelow(log, below)] };
}

/** The open CLOSEs on which a record builds, such as those of a temporary file that was saved. */
function closesBelow(log: ChangeLog, record: PendingRecord): Recno[] {
  const found = new Set<Recno>();
  const waiting = [record];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const base of basesOf(next.operation)) {
      const below = ownRecord(log, base);
      if (below === undefined || found.has(below.recno)) continue;
      if (isOpenClose(below)) found.add(below.recno);
      waiting.push(below);
    }
  }
  return [...found];
}

function openClose(log: ChangeLog, version: Base): PendingRecord | undefined {
  const record = ownRecord(log, version);
  return record !== undefined && isOpenClose(record) ? record : undefined;
}

function ownRecord({ peer, pending }: ChangeLog, version: Base): PendingRecord | undefined {
  if (typeof version === "number" || version.peer !== peer) return undefined;
  return pending.unsentRecord(version.recno);
}

function isOpenClose({ operation }: PendingRecord): boolean {
  return operation.opcode === "CLOSE" && operation.sha256 === null;
}
