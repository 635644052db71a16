import type { Oid } from "../kml/identity.ts";

declare const brand: unique symbol;

/**
 * Number of one grant of a permit: counted up by the server with each grant, and never given twice. It
 * fences: who acts under an old number is found out. It puts no records in order.
 */
export type Epoch = number & { readonly [brand]: "Epoch" };

/** The epoch before the first grant. */
export const NO_EPOCH = 0 as Epoch;

/** Under which grant records were made; a push states it, and the server checks that it is current. */
export interface PermitFence {
  /** The directory whose subtree it is about. */
  readonly oid: Oid;
  readonly epoch: Epoch;
}

/** How long a server promises a permit, and how long it waits for one that was asked back. */
export interface PermitTerms {
  /** A grant, and each renewal, holds for so long. */
  readonly termMs: number;
  /** Renewals go no further than this beyond the moment at which somebody else asked. */
  readonly graceMs: number;
}

/**
 * The part of a lease that its holder leaves unused, so that it stops before the server may give the
 * permit away. The two measure the same span with clocks of their own: a tenth covers any clock that
 * is fit to keep the time of day, and the end of an operation in progress.
 */
export const MARGIN_SHARE = 0.1;
