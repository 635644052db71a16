/**
 * Which own records can be frozen and sent next, and with which content (design C8, P3). What is left where it is is
 * noted with its reason, which `izo status` shows.
 */
import {
  EMPTY_SHA256,
  type InPieces,
  MAX_INLINE_BYTES,
  type Optimized,
  type PendingLog,
  type PendingRecord,
  type Recno,
  type Version,
  withoutHeldInPieces,
} from "@izo/core";

import type { CacheExecutor } from "../cache-executor.ts";
import type { RemovalHold } from "../hold/removal-hold.ts";
import type { ScopeHold } from "../hold/scope-hold.ts";
import { inTurns } from "../in-turns.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import { BATCH_BYTES, BATCH_RECORDS, inlineSize, RECORD_BYTES } from "./batch-size.ts";
import { contentOid } from "./content-oid.ts";
import { type OwnContents, sealedClose, type SealedClose } from "./own-contents.ts";
import { LeftRecords, type PushWait } from "./push-waits.ts";
import type { Uploader } from "./uploader.ts";

/**
 * Frozen at once, those that come to nothing among them: some milliseconds of work. Not more than is sent next, because
 * small contents are in memory from then on, and what was frozen is sent, whatever becomes of it meanwhile.
 */
const MOST_FROZEN = 2 * BATCH_RECORDS;

/** What is sent for a file that was removed. */
const NOTHING = { sizeBytes: 0, sha256: EMPTY_SHA256 } as const;

export interface ReadyRecordsOptions {
  readonly replica: LocalReplica;
  readonly cache: CacheExecutor;
  readonly contents: OwnContents;
  readonly uploader: Uploader;
  readonly removals: RemovalHold;
  readonly scope: ScopeHold;
}

export class ReadyRecords {
  readonly #options: ReadyRecordsOptions;
  /** What the last look has left. */
  readonly #left = new LeftRecords<"held" | "not-permitted" | "uploading">();

  constructor(options: ReadyRecordsOptions) {
    this.#options = options;
  }

  /** Why own records were left that could be sent: the first for each reason. */
  waits(): PushWait[] {
    const { pending } = this.#options.replica;
    return this.#left.waits((recno) => pending.unsentRecord(recno));
  }

  /** What can be frozen now, up to the size of a batch. It is of one moment, whatever programs do meanwhile. */
  async take(signal: AbortSignal): Promise<Optimized[]> {
    const { replica } = this.#options;
    for (;;) {
      const { pending } = replica;
      // oxlint-disable-next-line no-await-in-loop -- again where something else can be sent by now
      await inTurns(pending.look(), signal);
      const { looks } = pending;
      // oxlint-disable-next-line no-await-in-loop
      const ready = await inTurns(this.#readyOf(pending, signal), signal);
      const isOfNow = pending === replica.pending && pending.looks === looks;
      if (isOfNow && pending.isLookRight) return ready;
    }
  }

  *#readyOf(pending: PendingLog, signal: AbortSignal): InPieces<Optimized[]> {
    const { removals, scope } = this.#options;
    let bytes = 0;
    let count = 0;
    const isFull = (): boolean => count >= BATCH_RECORDS || bytes >= BATCH_BYTES;
    this.#left.begin();
    const held = yield* removals.heldAmong(() => pending.ready());
    const isOutside = scope.judge();
    const waits = (record: PendingRecord): boolean => {
      const { recno, operation } = record;
      const close = sealedClose(recno, operation);
      if (held.has(recno)) this.#left.note("held", recno);
      else if (isOutside(record)) this.#left.note("not-permitted", recno);
      else if (close !== undefined && !this.#isAvailable(close, signal))
        this.#left.note("uploading", recno);
      else {
        count += 1;
        bytes += RECORD_BYTES + inlineSize(operation);
        return false;
      }
      return true;
    };
    return yield* withoutHeldInPieces(this.#withPresentContents(pending.ready(), isFull), waits);
  }

  *#withPresentContents(
    ready: Iterable<Optimized>,
    isFull: () => boolean,
  ): Generator<Optimized, void> {
    let nothing = 0;
    for (const each of ready) {
      if (each.record === null) nothing += 1;
      if (isFull() || nothing > MOST_FROZEN) return;
      yield this.#withPresentContent(each);
    }
  }

  /**
   * A content that its author has overwritten before it was sent is nowhere any more. Its CLOSE then
   * goes with the content that came after it, or with none where the file was removed: what its author
   * left in the end is the same, and nothing waits for ever.
   */
  #withPresentContent(each: Optimized): Optimized {
    const { record } = each;
    const close = record === null ? undefined : sealedClose(record.recno, record.operation);
    if (record === null || close === undefined || this.#isStillHere(close)) return each;
    const { replica, cache } = this.#options;
    const { visible } = replica;
    const object = visible.object(contentOid(close.operation, visible));
    const { sizeBytes, mtimeNs, sha256 } = object ?? { ...close.operation, ...NOTHING };
    // Its next CLOSE is on its way, and says what there is.
    if (sha256 === null) return each;
    const operation = { ...close.operation, sizeBytes, mtimeNs, sha256 };
    const recno = object === undefined ? close.recno : this.#ownRecno(object.contentVersion);
    if (recno !== undefined && this.#isStillHere({ recno, operation }))
      return { ...each, record: { ...record, operation } };
    // No later content of the file has a record yet. Where none will come, there is nothing to send.
    return cache.isWritten(close) ? each : { ...each, record: null };
  }

  #ownRecno(version: Version): Recno | undefined {
    if (typeof version === "number") return undefined;
    return version.peer === this.#options.replica.peer ? version.recno : undefined;
  }

  #isStillHere(close: SealedClose): boolean {
    const { sha256, sizeBytes } = close.operation;
    if (sha256 === EMPTY_SHA256) return true;
    if (sizeBytes > MAX_INLINE_BYTES) return !this.#options.uploader.hasChanged(close);
    return this.#options.contents.read(close) !== undefined;
  }

  #isAvailable(close: SealedClose, signal: AbortSignal): boolean {
    const { sha256, sizeBytes } = close.operation;
    if (sha256 === EMPTY_SHA256) return true;
    if (sizeBytes <= MAX_INLINE_BYTES) return this.#options.contents.read(close) !== undefined;
    return this.#options.uploader.isThere(close, signal);
  }
}
