/**
 * Sends own records (design C8, P1, P3). Only InterSync calls it, one push at a time.
 *
 * Unsent records are optimized; those whose content can be had are frozen, which is durable before the
 * first of them is sent; then frozen records go out in order, as often as it takes. What the answer
 * says counts only for what is sent next: outcomes are learnt from the log.
 *
 * A crash at any point sends the same records again under the same numbers.
 */

import {
  EMPTY_SHA256,
  IzoError,
  MAX_INLINE_BYTES,
  withoutHeldInPieces,
  type ChangeSet,
  type FrozenRecord,
  type InPieces,
  type InlineContent,
  type Optimized,
  type PendingLog,
  type PermitFence,
  type PendingRecord,
  type Recno,
  type Sha256,
  type Version,
} from "@izo/core";

import type { CacheExecutor } from "./cache-executor.ts";
import { contentOid } from "./content-oid.ts";
import { inTurns } from "./in-turns.ts";
import type { LocalReplica } from "./local-replica.ts";
import { OwnContents, type SealedClose } from "./own-contents.ts";
import { LeftRecords, type PushWait } from "./push-waits.ts";
import { RemoteProblemError } from "./remote-error.ts";
import type { Remote } from "./remote.ts";
import type { RemovalHold } from "./removal-hold.ts";
import type { ScopeHold } from "./scope-hold.ts";
import { Uploader } from "./uploader.ts";

/** Of one push: small enough that its reply comes soon, large enough that round trips do not count. */
const BATCH_RECORDS = 256;
const BATCH_BYTES = 1024 * 1024;

/**
 * Frozen at once, those that come to nothing among them: some milliseconds of work. Not more than is sent next, because
 * small contents are in memory from then on, and what was frozen is sent, whatever becomes of it meanwhile.
 */
const MOST_FROZEN = 2 * BATCH_RECORDS;

/** What a record weighs in a batch beside its content: most are smaller. */
const RECORD_BYTES = 512;

/** What is sent for a file that was removed. */
const NOTHING = { sizeBytes: 0, sha256: EMPTY_SHA256 } as const;

/**
 * A record was frozen with a content that is nowhere any more, and the server has not got it: it can
 * never be sent as it is. Under a new peer id it is unsent again.
 */
export class ContentLostError extends IzoError {
  constructor(recno: Recno, sha256: Sha256) {
    super(
      "content-lost",
      `Cannot send record ${recno}: its content ${sha256} was overwritten before the server had it`,
      { recno, sha256 },
    );
  }
}

/** The permits under which own records were made, and who forgets those that were passed on. */
export interface PushedPermits {
  readonly current: readonly PermitFence[];
  /** The server gave it to somebody else: what was made under it is sent without. @returns whether it was known */
  notePassedOn(fence: PermitFence): boolean;
}

export interface PusherOptions {
  readonly replica: LocalReplica;
  readonly remote: Pick<Remote, "push" | "upload">;
  readonly cache: CacheExecutor;
  /** Makes the cache show what freezing has changed in the visible tree. */
  readonly show: (changes: ChangeSet) => void;
  /** Name of this host, for the names of conflict copies. */
  readonly host: string;
  readonly permits?: PushedPermits | undefined;
  readonly removals: RemovalHold;
  readonly scope: ScopeHold;
  readonly onUploaded: () => void;
  readonly onUploadFailed: (error: unknown) => void;
}

export class Pusher {
  readonly #options: PusherOptions;
  readonly #contents: OwnContents;
  readonly #uploader: Uploader;
  /** What the last look for records to send has left. */
  readonly #left = new LeftRecords<"held" | "not-permitted" | "uploading">();

  constructor(options: PusherOptions) {
    this.#options = options;
    this.#contents = new OwnContents(options.cache);
    this.#uploader = new Uploader({
      remote: options.remote,
      contents: this.#contents,
      onUploaded: options.onUploaded,
      onFailed: options.onUploadFailed,
    });
  }

  /**
   * Sends one batch, if there is anything that can be sent.
   *
   * @param began called before the first byte goes out
   * @returns whether there was
   * @throws ContentLostError; what `Remote` throws
   */
  async push(signal: AbortSignal, began: () => void): Promise<boolean> {
    const { replica, remote, host, removals } = this.#options;
    if (replica.pendingCount === 0) removals.noteAllSent();
    while (replica.toSend.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- until there is something to send, or nothing to freeze
      const ready = await this.#takeReady(signal);
      if (ready.length === 0) break;
      // oxlint-disable-next-line no-await-in-loop
      await replica.freeze(ready, this.#options.show);
    }
    const batch = this.#takeBatch();
    if (batch.length === 0) return false;
    began();
    const records = batch.map(({ submitted }) => submitted);
    const { peer, received } = replica;
    const permits = this.#options.permits?.current ?? [];
    const contents = this.#inlineContents(batch);
    try {
      const { isAnswered: isRemovalConfirmed } = this.#options.removals;
      const batchOf = { peer, host, received, permits, records, contents, isRemovalConfirmed };
      const { results } = await remote.push(batchOf, signal);
      if (replica.peer !== peer) return true;
      const last = records[results.length - 1];
      if (last !== undefined) replica.noteReceived(last.origin);
      for (const { sha256 } of contents) this.#contents.forget(sha256);
    } catch (error) {
      if (!(error instanceof RemoteProblemError)) throw error;
      if (error.code === "mass-removal") this.#options.removals.noteRefused();
      if (error.code === "content-missing") {
        await this.#bringMissing(error.data["missing"], batch, signal);
      } else if (error.code !== "permit-passed-on" || !this.#forgetPermit(error.data)) throw error;
    }
    return true;
  }

  /** A CLOSE was sealed: what was missing for it may be there now. */
  noteSealed(sha256: Sha256): void {
    this.#uploader.noteSealed(sha256);
  }

  /** Why own records were not sent that could be: the first for each reason. */
  waits(): PushWait[] {
    const { pending } = this.#options.replica;
    return this.#left.waits((recno) => pending.unsentRecord(recno));
  }

  /** Waits for what an aborted push left running. */
  async settle(): Promise<void> {
    await this.#uploader.settle();
  }

  /** What can be frozen now, up to the size of a batch. It is of one moment, whatever programs do meanwhile. */
  async #takeReady(signal: AbortSignal): Promise<Optimized[]> {
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
    if (sizeBytes > MAX_INLINE_BYTES) return !this.#uploader.hasChanged(sha256);
    return this.#contents.read(close) !== undefined;
  }

  #isAvailable(close: SealedClose, signal: AbortSignal): boolean {
    const { sha256, sizeBytes } = close.operation;
    if (sha256 === EMPTY_SHA256) return true;
    if (sizeBytes <= MAX_INLINE_BYTES) return this.#contents.read(close) !== undefined;
    return this.#uploader.isThere(close, signal);
  }

  /** The records go again without it, and are judged like any others. */
  #forgetPermit({ oid, epoch }: Readonly<Record<string, unknown>>): boolean {
    const { permits } = this.#options;
    const fence = permits?.current.find((one) => one.oid === oid && one.epoch === epoch);
    return fence !== undefined && permits!.notePassedOn(fence);
  }

  /** The next frozen records, in the order of their numbers. */
  #takeBatch(): FrozenRecord[] {
    const batch: FrozenRecord[] = [];
    let bytes = 0;
    for (const frozen of this.#options.replica.toSend) {
      bytes += RECORD_BYTES + inlineSize(frozen.submitted.operation);
      if (batch.length >= BATCH_RECORDS || (bytes > BATCH_BYTES && batch.length > 0)) break;
      batch.push(frozen);
    }
    return batch;
  }

  #inlineContents(batch: readonly FrozenRecord[]): InlineContent[] {
    const contents = new Map<Sha256, Uint8Array>();
    for (const { submitted } of batch) {
      const close = sealedClose(submitted.origin.recno, submitted.operation);
      if (close === undefined || inlineSize(close.operation) === 0) continue;
      // Not here any more: the server has it, from an earlier push, or says that it has not.
      const bytes = this.#contents.read(close);
      if (bytes !== undefined) contents.set(close.operation.sha256, bytes);
    }
    return Array.from(contents, ([sha256, bytes]) => ({ sha256, bytes }));
  }

  /** The server has not got contents that it had, or that an earlier process had sent along. */
  async #bringMissing(
    missing: unknown,
    batch: readonly FrozenRecord[],
    signal: AbortSignal,
  ): Promise<void> {
    const hashes = new Set<unknown>(Array.isArray(missing) ? missing : []);
    for (const { submitted } of batch) {
      const close = sealedClose(submitted.origin.recno, submitted.operation);
      if (close === undefined || !hashes.has(close.operation.sha256)) continue;
      const { sha256 } = close.operation;
      this.#uploader.forget(sha256);
      // oxlint-disable-next-line no-await-in-loop -- rare, and the batch needs all of them anyway
      const isUploaded = await this.#uploader.upload(close, signal);
      if (!isUploaded) throw new ContentLostError(close.recno, sha256);
    }
  }
}

function sealedClose(recno: Recno, operation: PendingRecord["operation"]): SealedClose | undefined {
  if (operation.opcode !== "CLOSE" || operation.sha256 === null) return undefined;
  return { recno, operation: { ...operation, sha256: operation.sha256 } };
}

/** Bytes that travel with a record inside its push. */
function inlineSize(operation: PendingRecord["operation"]): number {
  const isInline = operation.opcode === "CLOSE" && operation.sizeBytes <= MAX_INLINE_BYTES;
  return isInline ? operation.sizeBytes : 0;
}
