/**
 * Who may write where, as the server knows it: a pure table of leases (docs/permits.md). It is called
 * with the server's own monotonic time; no clock of anybody else, and no wall clock, decides anything.
 *
 * What a restart has to know of a grant is in {@link GrantRecord}, and no time is among it: a restarted
 * server takes every lease for one that it has just renewed ({@link restorePermits}). So a lease ends
 * here later than its holder believes, whatever happens in between. The worst outcome is a permit that
 * nobody uses for the rest of a term.
 */

import type { Oid, PeerId } from "../kml/identity.ts";
import { NO_EPOCH, type Epoch, type PermitFence, type PermitTerms } from "./permit.ts";

/** What is kept of a grant for good. */
export interface GrantRecord extends PermitFence {
  readonly peer: PeerId;
  readonly host: string;
  /** Since this grant the peer has held it, with nobody in between: work made since is not foreign. */
  readonly firstEpoch: Epoch;
  /** No lease under this grant was promised for longer. */
  readonly termMs: number;
}

/** Somebody else asks for it. It lapses when he stops asking. */
export interface PermitWish {
  readonly peer: PeerId;
  readonly host: string;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** A permit that was granted, and not passed on or handed back. It stays when its lease is over. */
export interface PermitGrant extends GrantRecord {
  /** On the server's monotonic clock: before this nobody else gets it. */
  readonly expiresMs: number;
  readonly wish: PermitWish | null;
}

export interface PermitTable {
  readonly lastEpoch: Epoch;
  readonly grants: readonly PermitGrant[];
}

export const NO_PERMITS: PermitTable = { lastEpoch: NO_EPOCH, grants: [] };

/** What a decision looks at beside the table. */
export interface PermitContext extends PermitTerms {
  /** The server's monotonic clock. */
  readonly nowMs: number;
  /** Tells whether one of two directories is, or lies below, the other. */
  readonly overlaps: (a: Oid, b: Oid) => boolean;
}

export interface PermitAsker {
  readonly peer: PeerId;
  readonly host: string;
  readonly oid: Oid;
}

/** The table afterwards, and either the grant or whoever stands in its way. */
export type Taken =
  | { readonly table: PermitTable; readonly grant: PermitGrant }
  | { readonly table: PermitTable; readonly heldBy: PermitGrant };

/** A wish that is not repeated lapses after this long beyond the time for which its asker waits. */
const WISH_KEPT_MS = 3_000;

/**
 * Grants a permit, or asks for its return.
 *
 * Leases of others that are over are passed on. Every grant gets a number of its own, that of a holder
 * who asks again too: a handing back that was on its way then ends nothing that was granted later.
 *
 * @param waitMs how long the asker waits for it; 0 where it does not want it from a living holder
 */
export function takePermit(
  table: PermitTable,
  { peer, host, oid }: PermitAsker,
  waitMs: number,
  context: PermitContext,
): Taken {
  const { nowMs, termMs } = context;
  const isRival = (grant: PermitGrant): boolean =>
    grant.peer !== peer && context.overlaps(grant.oid, oid);
  const heldBy = table.grants.find((grant) => isRival(grant) && grant.expiresMs > nowMs);
  if (heldBy !== undefined) {
    if (waitMs === 0) return { table, heldBy };
    const asked = { peer, host, sinceMs: nowMs, untilMs: nowMs + waitMs + WISH_KEPT_MS };
    const grants = table.grants.map((grant) =>
      isRival(grant) ? { ...grant, wish: joinWishes(grant.wish, asked, nowMs) } : grant,
    );
    return { table: { ...table, grants }, heldBy };
  }
  const own = table.grants.find((grant) => grant.peer === peer && grant.oid === oid);
  const epoch = (table.lastEpoch + 1) as Epoch;
  const grant: PermitGrant = {
    oid,
    epoch,
    peer,
    host,
    firstEpoch: own?.firstEpoch ?? epoch,
    termMs,
    expiresMs: Math.max(own?.expiresMs ?? 0, nowMs + termMs),
    wish: null,
  };
  const others = table.grants.filter((other) => other !== own && !isRival(other));
  return { table: { lastEpoch: epoch, grants: [...others, grant] }, grant };
}

/**
 * Goes on with a lease, also with one that is over and was not passed on; null where somebody else has
 * the permit now, or nobody.
 *
 * A lease is never made shorter than it was promised. While somebody else wants it, it grows no
 * further than the grace.
 */
export function renewPermit(
  table: PermitTable,
  peer: PeerId,
  fence: PermitFence,
  context: PermitContext,
): { readonly table: PermitTable; readonly grant: PermitGrant | null } {
  const { nowMs, termMs, graceMs } = context;
  const found = findGrant(table, peer, fence);
  if (found === undefined) return { table, grant: null };
  const rival = findElder(table, found, context);
  if (rival !== undefined && found.expiresMs <= nowMs) {
    return { table: without(table, found), grant: null };
  }
  const wish =
    rival === undefined
      ? livingWish(found.wish, nowMs)
      : joinWishes(found.wish, { ...rival, sinceMs: nowMs, untilMs: nowMs + termMs }, nowMs);
  const growsToMs =
    wish === null ? nowMs + termMs : Math.min(nowMs + termMs, wish.sinceMs + graceMs);
  const grant = { ...found, wish, expiresMs: Math.max(found.expiresMs, growsToMs) };
  const grants = table.grants.map((other) => (other === found ? grant : other));
  return { table: { ...table, grants }, grant };
}

/** Ends a grant whose holder has stopped. Of any other number than the last one it ends nothing. */
export function handBackPermit(
  table: PermitTable,
  peer: PeerId,
  { oid, epoch }: PermitFence,
): PermitTable {
  const grant = table.grants.find(
    (one) => one.oid === oid && one.peer === peer && one.epoch === epoch,
  );
  return grant === undefined ? table : without(table, grant);
}

/** Tells whether nobody else was given the permit since this grant, or anything that overlaps it. */
export function isCurrentFence(table: PermitTable, peer: PeerId, fence: PermitFence): boolean {
  return findGrant(table, peer, fence) !== undefined;
}

/**
 * The table of a server that starts: how long it was away it cannot know, so each lease begins anew,
 * for as long as was ever promised.
 */
export function restorePermits(
  lastEpoch: Epoch,
  records: readonly GrantRecord[],
  { nowMs, termMs }: Pick<PermitContext, "nowMs" | "termMs">,
): PermitTable {
  const grants = records.map((record): PermitGrant => {
    const promisedMs = Math.max(record.termMs, termMs);
    return { ...record, termMs: promisedMs, expiresMs: nowMs + promisedMs, wish: null };
  });
  return { lastEpoch, grants };
}

function findGrant(table: PermitTable, peer: PeerId, fence: PermitFence): PermitGrant | undefined {
  const { oid, epoch } = fence;
  return table.grants.find(
    (grant) =>
      grant.oid === oid && grant.peer === peer && grant.firstEpoch <= epoch && epoch <= grant.epoch,
  );
}

/** Directories that were apart when they were granted can be moved into each other: the first grant stays. */
function findElder(
  { grants }: PermitTable,
  grant: PermitGrant,
  { nowMs, overlaps }: PermitContext,
): PermitGrant | undefined {
  return grants.find(
    (other) =>
      other.peer !== grant.peer &&
      other.epoch < grant.epoch &&
      other.expiresMs > nowMs &&
      overlaps(other.oid, grant.oid),
  );
}

function livingWish(wish: PermitWish | null, nowMs: number): PermitWish | null {
  return wish !== null && wish.untilMs > nowMs ? wish : null;
}

/** The first who asks is named, and his time counts for all: nobody's asking gives the holder more of it. */
function joinWishes(earlier: PermitWish | null, asked: PermitWish, nowMs: number): PermitWish {
  const { peer, host } = asked;
  const first = livingWish(earlier, nowMs) ?? { peer, host, sinceMs: asked.sinceMs, untilMs: 0 };
  return { ...first, untilMs: Math.max(first.untilMs, asked.untilMs) };
}

function without(table: PermitTable, grant: PermitGrant): PermitTable {
  return { ...table, grants: table.grants.filter((other) => other !== grant) };
}
