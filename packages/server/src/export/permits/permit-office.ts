/**
 * Gives out the permits of one fileset: the table of core, kept on disk, with those who wait for a
 * change of it. Routes ask it; a push is checked by it.
 *
 * A grant is durable before anybody is told of it. A crash loses no grant; leases begin anew at the next
 * start, so that each ends later than its holder believes. The worst outcome is to wait for one term.
 */

import { setTimeout as sleep } from "node:timers/promises";

import {
  handBackPermit,
  IzoError,
  isCurrentFence,
  isWithin,
  objectPath,
  renewPermit,
  resolveOid,
  restorePermits,
  takePermit,
  type Oid,
  type PeerId,
  type PermitAsker,
  type PermitContext,
  type PermitFence,
  type PermitGrant,
  type PermitLease,
  type PermitStatus,
  type PermitTable,
  type PermitTerms,
  type Recno,
  type StateReader,
} from "@izo/core";

import { PermitHeldError, PermitPassedOnError, UnknownDirectoryError } from "../errors.ts";
import { readPermitFile, writePermitFile } from "./permit-file.ts";

export interface PermitOfficeOptions extends PermitTerms {
  /** Where the grants are kept. */
  readonly path: string;
  /** A clock that nobody sets; it may begin anew with each process. */
  readonly monotonicMs: () => number;
  /** The tree as logged: directories are within each other as it says. */
  readonly state: () => StateReader;
  readonly headRecno: () => Recno;
}

/** How long an asker waits at most, of a term: what he gets counts from when he asked. */
const WAITED_SHARE = 1 / 3;

export class PermitOffice {
  /** Where a damaged file was put; null for none. */
  readonly putAside: string | null;
  readonly #options: PermitOfficeOptions;
  readonly #waiters = new Set<() => void>();
  #table: PermitTable;

  /** Takes up the grants of the last process. @param nowMs for the name of a damaged file */
  constructor(options: PermitOfficeOptions, nowMs: number) {
    this.#options = options;
    const { termMs, path, monotonicMs } = options;
    const { records, putAside } = readPermitFile(path, { termMs, nowMs });
    this.putAside = putAside;
    const { lastEpoch, grants } = records;
    this.#table = restorePermits(lastEpoch, grants, { nowMs: monotonicMs(), termMs });
    // Longer leases than before may be promised from now on: the next start has to know.
    if (grants.length > 0) writePermitFile(path, this.#table);
  }

  /**
   * Grants the permit of a directory, as soon as it can be had within the time.
   *
   * @param serially runs the grant itself when no change is being made: whoever gets the permit finds
   *   in the log all that was done under it before
   * @throws PermitHeldError, UnknownDirectoryError
   */
  async take(
    asker: PermitAsker,
    waitMs: number,
    serially: <T>(job: () => T) => Promise<T>,
    signal: AbortSignal,
  ): Promise<PermitLease> {
    const { monotonicMs, termMs } = this.#options;
    const endMs = monotonicMs() + Math.min(waitMs, termMs * WAITED_SHARE);
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- each attempt follows a change
      const taken = await serially(() => {
        // Nobody would hear of a grant that is made now.
        if (signal.aborted) throw new IzoError("not-ready", "Cannot grant a permit: nobody waits");
        return this.#take(asker, waitMs);
      });
      if ("grant" in taken) return this.#lease(taken.grant);
      const { heldBy } = taken;
      const nowMs = monotonicMs();
      if (nowMs >= endMs) {
        throw new PermitHeldError(this.#describe(heldBy));
      }
      // oxlint-disable-next-line no-await-in-loop
      await this.#change(Math.min(endMs, heldBy.expiresMs) - nowMs, signal);
    }
  }

  /**
   * Goes on with a lease. The answer is held back until somebody else asks for the permit, or the time
   * is over; what it promises counts from the beginning of that.
   *
   * @throws PermitPassedOnError
   */
  async renew(
    peer: PeerId,
    fence: PermitFence,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<PermitLease> {
    const { monotonicMs, termMs } = this.#options;
    const { table, grant } = renewPermit(this.#table, peer, fence, this.#context());
    this.#move(table);
    if (grant === null) throw new PermitPassedOnError(fence);
    const lease = this.#lease(grant);
    const endMs = monotonicMs() + Math.min(waitMs, termMs * WAITED_SHARE);
    for (;;) {
      const current = this.#table.grants.find(
        ({ oid, epoch }) => oid === lease.oid && epoch === lease.epoch,
      );
      if (current === undefined) throw new PermitPassedOnError(fence);
      const isWanted = current.wish !== null;
      const nowMs = monotonicMs();
      if (isWanted || nowMs >= endMs || signal.aborted) return { ...lease, isWanted };
      // oxlint-disable-next-line no-await-in-loop -- each look follows a change
      await this.#change(endMs - nowMs, signal);
    }
  }

  /** Ends a grant; one that is over already is no error. */
  handBack(peer: PeerId, fence: PermitFence): void {
    this.#keep(handBackPermit(this.#table, peer, fence));
  }

  /** Lets a push pass whose permits are current. @throws PermitPassedOnError */
  check(peer: PeerId, fences: readonly PermitFence[]): void {
    for (const fence of fences) {
      if (!isCurrentFence(this.#table, peer, fence)) throw new PermitPassedOnError(fence);
    }
  }

  /** Who holds what, in the order of their grants. */
  list(): PermitStatus[] {
    return this.#table.grants.map((grant) => this.#describe(grant));
  }

  #take(asker: PermitAsker, waitMs: number): ReturnType<typeof takePermit> {
    const state = this.#options.state();
    const oid = resolveOid(asker.oid, state);
    if (state.object(oid)?.kind !== "directory") throw new UnknownDirectoryError(asker.oid);
    const taken = takePermit(this.#table, { ...asker, oid }, waitMs, this.#context());
    if ("grant" in taken) this.#keep(taken.table);
    else this.#move(taken.table);
    return taken;
  }

  #context(): PermitContext {
    const { termMs, graceMs, monotonicMs, state } = this.#options;
    const tree = state();
    return {
      termMs,
      graceMs,
      nowMs: monotonicMs(),
      overlaps: (first: Oid, second: Oid) => {
        const [a, b] = [resolveOid(first, tree), resolveOid(second, tree)];
        return isWithin(tree, a, b) || isWithin(tree, b, a);
      },
    };
  }

  /** The durable thing first: a grant that cannot be kept was not given. */
  #keep(table: PermitTable): void {
    if (table !== this.#table) writePermitFile(this.#options.path, table);
    this.#move(table);
  }

  #move(table: PermitTable): void {
    if (table === this.#table) return;
    this.#table = table;
    for (const wake of this.#waiters) wake();
  }

  /** Resolves at the next change of the table, after the time, or when the signal aborts. */
  async #change(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([over.signal, signal]);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    try {
      const time = sleep(Math.max(timeoutMs, 1), undefined, { signal: either }).catch(() => {});
      await Promise.race([promise, time]);
    } finally {
      this.#waiters.delete(resolve);
      over.abort();
    }
  }

  #lease(grant: PermitGrant): PermitLease {
    const { oid, epoch, wish } = grant;
    const recno = this.#options.headRecno();
    return { oid, epoch, leaseMs: this.#leftMs(grant), recno, isWanted: wish !== null };
  }

  #describe(grant: PermitGrant): PermitStatus {
    const { oid, epoch, peer, host, wish } = grant;
    const state = this.#options.state();
    const path = objectPath(state, resolveOid(oid, state));
    const wantedBy = wish?.host ?? null;
    return { oid, epoch, path, peer, host, leaseMs: this.#leftMs(grant), wantedBy };
  }

  #leftMs({ expiresMs }: PermitGrant): number {
    return Math.max(0, Math.floor(expiresMs - this.#options.monotonicMs()));
  }
}
