/**
 * Holds back removals that would leave next to nothing of the fileset (design §7), until a person has
 * confirmed or dropped them: a script that ran in the wrong directory, or a cache that lost its tree.
 *
 * What is held is not stored but found anew among the records that wait, so it is held after a restart
 * as well. A confirmation is kept in memory: a mount that ends before it has sent them asks again.
 */
import {
  IzoError,
  isMassRemoval,
  lastingRemovals,
  objectPath,
  type Optimized,
  type PendingRecord,
  type Recno,
  withoutHeld,
} from "@izo/core";

import type { LocalReplica } from "./local-replica.ts";

/** Paths that are named as examples; the rest is counted. */
const SHOWN_PATHS = 20;

/** Removals that wait for a person. */
export interface HeldRemoval {
  /** Names that would go, and that there are. */
  readonly removed: number;
  readonly names: number;
  /** When the first of them was made, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Some of the paths. */
  readonly paths: readonly string[];
  /** Sent already, and refused by the server: they can be confirmed, and not dropped. */
  readonly isSent: boolean;
}

/** There is nothing to confirm or to drop, or it cannot be dropped any more. */
export class NothingHeldError extends IzoError {
  constructor(found: string) {
    super("nothing-held", `Cannot decide on held removals: ${found}`);
  }
}

export class RemovalHold {
  readonly #replica: LocalReplica;
  /** Own records up to this one may remove what they like. */
  #confirmed = 0;
  #isRefused = false;

  constructor(replica: LocalReplica) {
    this.#replica = replica;
  }

  /** Whether somebody confirmed what is being sent: the server wants to know. */
  get isConfirmed(): boolean {
    return this.#confirmed > 0;
  }

  /** Own records that are not sent now; none where no removal is held. */
  heldAmong(ready: readonly Optimized[]): ReadonlySet<Recno> {
    const removals = this.#removalsAmong(ready);
    const isHeld = isMassRemoval(removals.length, this.#namesIfMany(removals.length));
    return new Set(isHeld ? removals.map(({ recno }) => recno) : []);
  }

  /** Tells of one record whether it waits for a person. */
  waits(): (record: PendingRecord) => boolean {
    const held = this.heldAmong(this.#replica.pending.sendable());
    return ({ recno }) => held.has(recno);
  }

  /** What is held, or null. */
  held(): HeldRemoval | null {
    if (this.#isRefused) return this.#describe(this.#frozenRemovals(), true);
    const removals = this.#removalsAmong(this.#replica.pending.sendable());
    if (!isMassRemoval(removals.length, this.#namesIfMany(removals.length))) return null;
    return this.#describe(removals, false);
  }

  /** Tells whether nothing could be sent before somebody decides. */
  isAllThatWaits(): boolean {
    if (this.#isRefused) return true;
    const { pending } = this.#replica;
    if (pending.frozen.length > 0 || this.#replica.unsealed().length > 0) return false;
    const ready = pending.sendable();
    const held = this.heldAmong(ready);
    if (held.size === 0) return false;
    const free = withoutHeld(ready, ({ recno }) => held.has(recno));
    return free.every(({ record }) => record === null);
  }

  /** The server has refused what was sent without a confirmation. */
  noteRefused(): void {
    this.#isRefused = true;
    this.#confirmed = 0;
  }

  /** Nothing waits any more: what comes next is a decision of its own. */
  noteAllSent(): void {
    this.#confirmed = 0;
    this.#isRefused = false;
  }

  /** All that is held may go. @throws NothingHeldError */
  confirm(): HeldRemoval {
    const held = this.#demand();
    this.#confirmed = this.#replica.ownHead;
    this.#isRefused = false;
    return held;
  }

  /** The own records to take back, so that what they remove stays. @throws NothingHeldError */
  toDrop(): { readonly held: HeldRemoval; readonly recnos: readonly Recno[] } {
    const held = this.#demand();
    if (held.isSent) throw new NothingHeldError("they were sent already; confirm them");
    return { held, recnos: [...this.heldAmong(this.#replica.pending.sendable())] };
  }

  #demand(): HeldRemoval {
    const held = this.held();
    if (held === null) throw new NothingHeldError("none are held");
    return held;
  }

  #removalsAmong(ready: readonly Optimized[]): PendingRecord[] {
    const { authoritative } = this.#replica;
    const records = ready.flatMap(({ record }) => record ?? []);
    return lastingRemovals(records).filter(({ recno, operation }) => {
      // What only this client had is nobody else's loss.
      const isKnown = "oid" in operation && authoritative.object(operation.oid) !== undefined;
      return isKnown && recno > this.#confirmed;
    });
  }

  /** Counting takes a moment in a large fileset, and few removals are never held. */
  #namesIfMany(removals: number): number {
    return isMassRemoval(removals, removals) ? this.#replica.authoritative.countEntries() : 0;
  }

  #frozenRemovals(): Pick<PendingRecord, "operation" | "authorTimeNs">[] {
    return this.#replica.toSend
      .map(({ submitted }) => submitted)
      .filter(({ operation: { opcode } }) => opcode === "UNLINK" || opcode === "RMDIR");
  }

  #describe(
    removals: readonly Pick<PendingRecord, "operation" | "authorTimeNs">[],
    isSent: boolean,
  ): HeldRemoval {
    const { authoritative } = this.#replica;
    return {
      removed: removals.length,
      names: authoritative.countEntries(),
      sinceMs: Number((removals[0]?.authorTimeNs ?? 0n) / 1_000_000n),
      paths: removals
        .slice(0, SHOWN_PATHS)
        .map(({ operation }) =>
          "oid" in operation ? objectPath(authoritative, operation.oid) : "/",
        ),
      isSent,
    };
  }
}
