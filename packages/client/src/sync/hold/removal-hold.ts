/**
 * Holds back removals that would leave next to nothing of the fileset (design §7), until a person has
 * confirmed or dropped them: a script that ran in the wrong directory, or a cache that lost its tree.
 *
 * What is held is not stored but found anew among the records that wait, so it is held after a restart
 * as well. A confirmation is kept in memory: a mount that ends before it has sent them asks again.
 *
 * The server looks, too, and may know of removals by others that were not pulled here. What was sent and
 * is refused for that waits under a new peer id, unsent, and is looked at here again: see
 * `docs/decisions/0023-refused-removals-wait-unsent.md`.
 */
import {
  allAtOnce,
  HELD_REMOVAL_PERCENT,
  type InPieces,
  IzoError,
  isMassRemoval,
  mayBeMassRemoval,
  objectPath,
  type Optimized,
  type PeerId,
  type PendingRecord,
  RecentWork,
  type Recno,
  removalExtentInPieces,
  type RemovalExtent,
  withoutHeld,
  withUnfilledRemovals,
} from "@izo/core";

import type { LocalReplica } from "../replica/local-replica.ts";

/** Paths that are named as examples; the rest is counted. */
const SHOWN_PATHS = 20;

const NOTHING: ReadonlySet<Recno> = new Set();

/** Removals that wait for a person. */
export interface HeldRemoval {
  /** Names that would go, and that there are. */
  readonly removed: number;
  readonly names: number;
  /** When the first of them was made, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Some of the paths. */
  readonly paths: readonly string[];
}

/** There is nothing to confirm or to drop. */
export class NothingHeldError extends IzoError {
  constructor() {
    super("nothing-held", "Cannot decide on held removals: none are held");
  }
}

export class RemovalHold {
  readonly #replica: LocalReplica;
  readonly #nowMs: () => number;
  readonly #recent = new RecentWork();
  #percent = HELD_REMOVAL_PERCENT;
  /** Own records of that peer id up to this one may remove what they like. */
  #confirmed: { readonly peer: PeerId; readonly upTo: Recno } | null = null;
  #isRefused = false;

  constructor(replica: LocalReplica, nowMs: () => number) {
    this.#replica = replica;
    this.#nowMs = nowMs;
  }

  /** The server has said of which share of the names a removal has to be confirmed. */
  learn(percent: number): void {
    this.#percent = percent;
  }

  /**
   * Whether what is being sent may remove nearly everything, which the server wants to know: somebody has
   * confirmed it; or the server has refused it before, and with all that it knows nothing is held here.
   */
  get isAnswered(): boolean {
    return this.#isRefused || this.#confirmed?.peer === this.#replica.peer;
  }

  /**
   * Own records that are not sent now, found with pauses; none where no removal is held. To be asked before any of
   * them is sent.
   */
  *heldAmong(ready: () => Iterable<Optimized>): InPieces<ReadonlySet<Recno>> {
    this.#recent.note(this.#nowMs(), this.#replica.position.recno);
    if (!this.#mayHold) return NOTHING;
    const all = [...ready()];
    const extent = yield* this.#extentOf(all);
    if (!this.#isHeld(extent)) return NOTHING;
    return yield* withUnfilledRemovals(
      all,
      extent.removals.map(({ recno }) => recno),
    );
  }

  /** Tells of one record whether it waits for a person. */
  waits(): (record: PendingRecord) => boolean {
    const held = allAtOnce(this.heldAmong(() => this.#replica.pending.sendable()));
    return ({ recno }) => held.has(recno);
  }

  /** What is held, or null. */
  held(): HeldRemoval | null {
    if (!this.#mayHold) return null;
    const extent = allAtOnce(this.#extentOf(this.#replica.pending.sendable()));
    return this.#isHeld(extent) ? this.#describe(extent) : null;
  }

  /** Tells whether nothing could be sent before somebody decides. */
  isAllThatWaits(): boolean {
    const { pending } = this.#replica;
    if (!this.#mayHold || pending.frozen.length > 0 || this.#replica.unsealed().length > 0)
      return false;
    const ready = pending.sendable();
    const held = allAtOnce(this.heldAmong(() => ready));
    if (held.size === 0) return false;
    const free = withoutHeld(ready, ({ recno }) => held.has(recno));
    return free.every(({ record }) => record === null);
  }

  /** The server has refused what was sent: all of it waits to be looked at again, by what the server's log says. */
  noteRefused(): void {
    this.#isRefused = true;
    this.#confirmed = null;
  }

  /** Nothing waits any more: what comes next is a decision of its own. */
  noteAllSent(): void {
    this.#confirmed = null;
    this.#isRefused = false;
  }

  /** All that is held may go. @throws NothingHeldError */
  confirm(): HeldRemoval {
    const held = this.#demand();
    this.#confirmed = { peer: this.#replica.peer, upTo: this.#replica.ownHead };
    return held;
  }

  /** The own records to take back, so that what they remove stays. @throws NothingHeldError */
  toDrop(): { readonly held: HeldRemoval; readonly recnos: readonly Recno[] } {
    const held = this.#demand();
    const { removals } = allAtOnce(this.#extentOf(this.#replica.pending.sendable()));
    return { held, recnos: removals.map(({ recno }) => recno) };
  }

  #demand(): HeldRemoval {
    const held = this.held();
    if (held === null) throw new NothingHeldError();
    return held;
  }

  /** Whether it is worth to look what the removals among all that waits are of. */
  get #mayHold(): boolean {
    const { pending, authoritative } = this.#replica;
    // All of them may be of what this mount made lately, which then is not counted.
    const recent = this.#recent.since(this.#nowMs()) === null ? 0 : pending.removals;
    const countNames = (): number => authoritative.countEntries() - recent;
    return mayBeMassRemoval(pending.removals, countNames, this.#percent);
  }

  /** What those would remove that nobody has confirmed. */
  #extentOf(ready: readonly Optimized[]): InPieces<RemovalExtent<PendingRecord>> {
    const { authoritative, peer } = this.#replica;
    const confirmed = this.#confirmed?.peer === peer ? this.#confirmed.upTo : 0;
    const records = ready.flatMap(({ record }) =>
      record !== null && record.recno > confirmed ? record : [],
    );
    const author = { peer, recentAfter: this.#recent.since(this.#nowMs()) };
    const countNames = (): number => authoritative.countEntries();
    return removalExtentInPieces(records, authoritative, author, countNames);
  }

  #isHeld(extent: RemovalExtent<PendingRecord>): boolean {
    return isMassRemoval(extent, this.#percent);
  }

  #describe({ removals, removed, names }: RemovalExtent<PendingRecord>): HeldRemoval {
    const { authoritative } = this.#replica;
    return {
      removed,
      names,
      sinceMs: Number((removals[0]?.authorTimeNs ?? 0n) / 1_000_000n),
      paths: removals
        .slice(0, SHOWN_PATHS)
        .map(({ operation }) =>
          "oid" in operation ? objectPath(authoritative, operation.oid) : "/",
        ),
    };
  }
}
