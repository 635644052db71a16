/**
 * What a power cut can leave of an exchange of two names: one or two of its three moves, at the end of
 * the own log. Nothing was done yet, and done alone they would leave an object under a name that no
 * program knows; so they are taken back.
 */
import type { Name, Oid, PendingRecord, RenameOperation } from "@izo/core";

import type { ChangeLog } from "../change-log.ts";

const PREFIX = ".izo-exchange-";

/** The name by way of which two objects change places; `unique` is nobody else's. */
export function nameOfExchange(unique: Oid): Name {
  return `${PREFIX}${unique}` as Name;
}

/** Takes back the moves of an exchange of which the last is missing. Called before anything is sent. */
export function takeBackHalfExchange(log: ChangeLog): void {
  const last = moveAt(log.pending.unsent.at(-1));
  const previous = moveAt(log.pending.unsent.at(-2));
  if (last === undefined) return;
  if (isFirst(last.move)) {
    log.cancel(last.record.recno);
  } else if (
    previous !== undefined &&
    isFirst(previous.move) &&
    last.move.toName === previous.move.fromName &&
    last.move.toParent === previous.move.fromParent
  ) {
    log.cancel(last.record.recno);
    log.cancel(previous.record.recno);
  }
}

function isFirst({ toName }: RenameOperation): boolean {
  return toName.startsWith(PREFIX);
}

function moveAt(record: PendingRecord | undefined) {
  return record?.operation.opcode === "RENAME" ? { record, move: record.operation } : undefined;
}
