/**
 * Why own changes are not on the server yet. Each part of InterSync that leaves a record where it is says so here,
 * with its reason, when it does; whoever asks is told what holds now. Nothing is guessed from what waits.
 */

import type { ClientOperation, PendingRecord, Recno } from "@izo/core";

import { pathOfOperation } from "./path-of-operation.ts";

/**
 * - `forced-offline`: the user of the mount wants no connection
 * - `no-connection`: the server does not answer, or will have nothing of this mount; asked again at a time
 * - `connected`: the tree is taken over, or the log is replayed to its head: only then is anything sent
 * - `push-failed`: the server would not take it, or this disk would not note it; tried again at a time
 * - `sent`: on the way to the server, or there and to come back in its log
 * - `held`: a person has to confirm the removal of nearly everything, or to take it back
 * - `not-permitted`: this mount may not change it
 * - `uploading`: its content goes first, or waits for its turn among large ones
 * - `written`: a program has the file open and writes to it
 * - `unhashed`: its content is read for its hash
 */
export type WaitReason =
  | "forced-offline"
  | "no-connection"
  | "connected"
  | "push-failed"
  | "sent"
  | "held"
  | "not-permitted"
  | "uploading"
  | "written"
  | "unhashed";

/** The first of the changes that wait for one reason; what depends on it waits behind it. */
export interface PushWait {
  readonly reason: WaitReason;
  readonly opcode: ClientOperation["opcode"];
  readonly path: string;
  /** When its author did it, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** What was said about it, by the server or by this disk; null where nothing was. */
  readonly message: string | null;
  /** When it is tried again, in milliseconds since 1970; null where something else has to happen first. */
  readonly retryAtMs: number | null;
}

type Shown = Pick<PendingRecord, "operation" | "authorTimeNs">;

/** Says why a record waits. */
export function pushWait(
  reason: WaitReason,
  { operation, authorTimeNs }: Shown,
  { message = null, retryAtMs = null }: Partial<Pick<PushWait, "message" | "retryAtMs">> = {},
): PushWait {
  const { opcode } = operation;
  const sinceMs = Number(authorTimeNs / 1_000_000n);
  return { reason, opcode, path: pathOfOperation(operation), sinceMs, message, retryAtMs };
}

/** What a look for records to send, or to seal, has left where it was: the first for each reason. */
export class LeftRecords<Reason extends WaitReason> {
  readonly #first = new Map<Reason, Recno>();

  /** Another look begins. */
  begin(): void {
    this.#first.clear();
  }

  note(reason: Reason, recno: Recno): void {
    if (!this.#first.has(reason)) this.#first.set(reason, recno);
  }

  /** @param record gives an own record that still waits, unsent */
  waits(record: (recno: Recno) => PendingRecord | undefined): PushWait[] {
    return Array.from(this.#first, ([reason, recno]) => ({ reason, left: record(recno) })).flatMap(
      ({ reason, left }) => (left === undefined ? [] : pushWait(reason, left)),
    );
  }
}
