/**
 * Cuts the front off the log (design, log life): by itself now and then, and when an administrator asks.
 *
 * What is durable comes first and what is removed last: an anchor (the tree where the log will begin) →
 * a TRUNCATED record → the segments → rows of the index that only they explained → older anchors. A
 * crash in between leaves more than is needed, never less, and the next turn goes on; the index can be
 * rebuilt after each step. The queue of all changes is held for the record and for small batches of
 * rows only.
 */
import type { KmlLog, Recno, SegmentInfo } from "@izo/core";

import { anchorRows } from "../../db/anchor-rows.ts";
import { CommittedIndex } from "../../db/committed-index.ts";
import { pruneHistory } from "../../db/prune-history.ts";
import { dropAnchorsBefore, writeAnchor } from "../../log/anchor-store.ts";
import type { CrashPoint } from "../crash-point.ts";
import type { Truncated, TruncateRequest } from "../export.ts";
import { JobQueue } from "../job-queue.ts";
import type { Keeper } from "../keeper.ts";
import type { PeerBook } from "../peers/peer-book.ts";
import { isKeptFor } from "../peers/peer-standing.ts";
import type { LogRetention } from "./log-retention.ts";
import { planTruncation, type TruncationLimits, type TruncationPlan } from "./plan-truncation.ts";

/**
 * An anchor is as large as the tree: by itself the log is cut only where that frees this share of it.
 */
const WORTHWHILE_SHARE = 1 / 8;

export interface LogTruncationOptions {
  readonly keeper: Keeper;
  readonly log: KmlLog;
  readonly peers: PeerBook;
  readonly retention: LogRetention;
  /** Time between two looks at the log. */
  readonly everyMs: number;
  readonly reach: CrashPoint;
  readonly onError: (error: unknown) => void;
}

export class LogTruncation implements AsyncDisposable {
  readonly #options: LogTruncationOptions;
  /** One truncation at a time. */
  readonly #turns = new JobQueue();
  readonly #snapshots = new Set<{ readonly recno: Recno }>();
  /** When the last record of a segment was logged, in ms: sealed segments never change. */
  readonly #endedMs = new Map<Recno, number>();
  #timer: NodeJS.Timeout | null = null;
  #isStopping = false;

  constructor(options: LogTruncationOptions) {
    this.#options = options;
    this.#lookLater();
  }

  /** Keeps the records behind a snapshot until it is disposed of. */
  guard(recno: Recno): Disposable {
    const held = { recno };
    this.#snapshots.add(held);
    return { [Symbol.dispose]: () => void this.#snapshots.delete(held) };
  }

  /** @throws what the disk says; what was removed until then is a clean cut of the log */
  truncate(request: TruncateRequest): Promise<Truncated> {
    return this.#turns.run(async () => {
      const { log, keeper } = this.#options;
      const { isDryRun } = request;
      const limits = this.#limitsOf(request);
      // Segments are cut off whole, so the one that is written to has to end first.
      if (!isDryRun) await keeper.run(() => log.sealSegment());
      const plan = this.#plan(limits, isDryRun);
      const before = log.oldest;
      if (!isDryRun) await this.#cut(plan.oldestRecno);
      return { ...plan, removedRecords: plan.oldestRecno - before, isDryRun };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#turns.idle();
  }

  #lookLater(): void {
    if (this.#isStopping) return;
    this.#timer = setTimeout(() => {
      this.#turns
        .run(() => this.#look())
        .catch(this.#options.onError)
        .finally(() => this.#lookLater());
    }, this.#options.everyMs).unref();
  }

  async #look(): Promise<void> {
    const { log, keeper, peers } = this.#options;
    await keeper.run(() => peers.save());
    const plan = this.#plan(this.#limitsOf({}), false);
    const wholeBytes = log.segments().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const isWorthwhile = plan.removedBytes >= wholeBytes * WORTHWHILE_SHARE;
    await this.#cut(isWorthwhile ? plan.oldestRecno : log.oldest);
  }

  #limitsOf({ before, olderThanMs }: Partial<TruncateRequest>): TruncationLimits {
    const { keepMs, keepBytes, maxBytes } = this.#options.retention;
    if (before === undefined && olderThanMs === undefined) {
      return { keepMs, keepBytes, maxBytes, before: null };
    }
    return { keepMs: olderThanMs ?? 0, keepBytes: 0, maxBytes, before: before ?? null };
  }

  /** @param wouldSeal plans as if the segment that is written to had ended */
  #plan(limits: TruncationLimits, wouldSeal: boolean): TruncationPlan {
    const { log, keeper, peers, retention } = this.#options;
    const nowMs = keeper.nowMs();
    const extent = {
      headRecno: keeper.fileset.ledger.position.recno,
      oldestRecno: log.oldest,
    };
    const facts = {
      segments: log.segments().map((one) => ({ ...one, isSealed: one.isSealed || wouldSeal })),
      ageMsOf: (segment: SegmentInfo) => nowMs - this.#endOf(segment),
      waiting: peers
        .list()
        .filter((peer) => isKeptFor(peer, extent, nowMs - retention.peerMs))
        .map(({ peer, replayedRecno }) => ({ peer, replayedRecno })),
      // The head is that of a snapshot which may begin at any moment.
      snapshots: [extent.headRecno, ...[...this.#snapshots].map(({ recno }) => recno)],
    };
    return planTruncation(facts, limits);
  }

  async #cut(oldest: Recno): Promise<void> {
    const { log, keeper, reach } = this.#options;
    const { ledger, paths } = keeper.fileset;
    if (oldest > log.oldest) {
      const position = log.positionAt((oldest - 1) as Recno);
      using index = new CommittedIndex(paths.index);
      // A read transaction: rows that end meanwhile are still those of now.
      index.connection.exec("BEGIN");
      await writeAnchor(paths.anchors, position.recno, anchorRows(index.connection, position));
      reach("anchor-written");
      await keeper.run(async () => {
        ledger.begin();
        ledger.author({ opcode: "TRUNCATED", oldestRecno: oldest });
        await ledger.commit();
      });
      reach("truncation-logged");
      await keeper.run(() => log.dropSegmentsBefore(oldest));
      reach("segments-removed");
    }
    await this.#prune();
    reach("history-pruned");
    await dropAnchorsBefore(paths.anchors, (log.oldest - 1) as Recno);
  }

  /** What an earlier turn has left goes too: a crash may have ended it. */
  async #prune(): Promise<void> {
    const { log, keeper } = this.#options;
    const { connection } = keeper.fileset;
    // oxlint-disable-next-line no-await-in-loop -- others get their turn between two batches
    while (!this.#isStopping && (await keeper.run(() => pruneHistory(connection, log.oldest))));
  }

  #endOf({ first, last }: SegmentInfo): number {
    const known = this.#endedMs.get(first);
    if (known !== undefined) return known;
    const { log, keeper } = this.#options;
    let endedMs = keeper.nowMs();
    for (const scanned of log.read((last - 1) as Recno, { limitRecords: 1 })) {
      endedMs = Number(scanned.decode().logTimeNs / 1_000_000n);
    }
    this.#endedMs.set(first, endedMs);
    return endedMs;
  }
}
