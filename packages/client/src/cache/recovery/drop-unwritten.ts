/**
 * After a power cut: takes back the own records that say of a file what is not on disk (design C6). Its
 * metadata can be there without its bytes, and a record that was synced without the file it is about.
 * What the file was before stays: the server's content, or one of this machine that is whole.
 *
 * Only recovery calls it, for what no `fsync` has made durable. A crash in it leaves a part of the
 * records, and the next start takes those back.
 */
import { basesOf, type Name, type Oid, type PendingRecord, type TreeObject } from "@izo/core";

import type { ChangeLog } from "../change-log.ts";

/** Where a name stands that a record which was taken back had changed. */
export interface ChangedPlace {
  readonly parent: Oid;
  readonly name: Name;
}

/**
 * Takes back records until the object shows a content that `isHere`, or one that this machine did not
 * make. An atomic save of such a content goes with it, unless other changes build on the save.
 *
 * @returns the names that changed with it; undefined where nothing was taken back
 */
export function dropUnwritten(
  log: ChangeLog,
  oid: Oid,
  isHere: (object: TreeObject) => boolean,
): ChangedPlace[] | undefined {
  const places: ChangedPlace[] = [];
  let isDropped = false;
  for (let object = log.visible.object(oid); object !== undefined;) {
    const record = isHere(object) ? undefined : contentRecord(log, object);
    if (record === undefined || !mayGo(log, record)) break;
    const { operation } = record;
    log.cancel(record.recno);
    isDropped = true;
    if (operation.opcode === "RENAME") {
      places.push(
        { parent: operation.fromParent, name: operation.fromName },
        { parent: operation.toParent, name: operation.toName },
      );
      // The temporary file has its name again, and nothing that was written to it.
      dropUnwritten(log, operation.oid, () => false);
    }
    object = log.visible.object(oid);
  }
  return isDropped ? places : undefined;
}

/** The own record, not sent yet, that gave an object its content. */
function contentRecord(log: ChangeLog, { contentVersion }: TreeObject): PendingRecord | undefined {
  if (typeof contentVersion === "number" || contentVersion.peer !== log.peer) return undefined;
  return log.pending.unsentRecord(contentVersion.recno);
}

function mayGo(log: ChangeLog, { recno, operation }: PendingRecord): boolean {
  if (operation.opcode === "CLOSE") return true;
  if (operation.opcode !== "RENAME" || !operation.keepsOid) return false;
  return !log.pending.unsent.some(({ operation: later }) =>
    basesOf(later).some((base) => typeof base !== "number" && base.recno === recno),
  );
}
