import type { Recno, Sha256 } from "../kml/identity.ts";
import type { OutcomeReason } from "../kml/operation.ts";
import type { Position } from "../kml/position.ts";
import type { PermitFence } from "../permit/permit.ts";
import type { PushHead } from "../reintegrate/admit.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type { Revival } from "../undo/undo-plan.ts";

/** A small content that travels inside another message. */
export interface InlineContent {
  readonly sha256: Sha256;
  readonly bytes: Uint8Array;
}

/** A client's records for reintegration, in the order of their origin recnos. */
export interface ReintegrateRequest extends PushHead {
  /** Name of the author's host, for the names of conflict copies. */
  readonly host: string;
  /** The permits under which the records were made; none for a client that needs none. */
  readonly permits?: readonly PermitFence[];
  /** Objects that the records bring back under their ids; none but for an undo. */
  readonly revivals?: readonly Revival[];
  /** Somebody has confirmed that nearly everything is removed; it travels as a header. */
  readonly isRemovalConfirmed?: boolean;
  /** Contents up to 64 KiB that the records name; larger ones were uploaded before. */
  readonly contents: readonly InlineContent[];
}

/** What became of one record. Information: a client acts on the trace that it pulls. */
export interface ReintegrateResult {
  readonly originRecno: Recno;
  readonly verdict: Outcome["verdict"];
  readonly reason: OutcomeReason | null;
  readonly trace: Recno;
}

/** What a whole batch became; all that it says is durable on the server. */
export interface ReintegrateResponse {
  readonly head: Position;
  /** One for each record of the batch, in its order. */
  readonly results: readonly ReintegrateResult[];
}
