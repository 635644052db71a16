/**
 * What a client believes of one permit, as a pure state machine (docs/permits.md). It is called with a
 * clock of this machine that also counts while the machine sleeps.
 *
 * Nothing here is durable: a client that starts believes nothing, and asks. The worst outcome of a lost
 * message is to be read-only for a while. A machine that stands still and knows nothing of it (a virtual
 * machine that is paused) may go on too long; what it did is then found out by the number of its grant.
 */

import { NO_RECNO, type Recno } from "../kml/identity.ts";
import { MARGIN_SHARE, NO_EPOCH, type Epoch } from "./permit.ts";

export type HolderName =
  /** Not wanted here. */
  | "free"
  /** Wanted, and not granted yet. */
  | "asking"
  /** Granted; what was done under it before is still to be replayed. */
  | "arriving"
  /** Everything may be changed, until its time is over. */
  | "held"
  /** Somebody else wants it, or it is not wanted here any more: what is open may be finished. */
  | "returning"
  /** Nothing may be changed any more, and the server is to know. */
  | "leaving";

/** What the server said of a grant, and when it was asked. */
export interface GrantAnswer {
  readonly epoch: Epoch;
  /** When the request was sent, on this machine's clock: not later than the server counts from. */
  readonly sentMs: number;
  /** How long the server promises it, from when it decided. */
  readonly leaseMs: number;
  /** The head of the server's log then. */
  readonly recno: Recno;
  readonly isWanted: boolean;
}

export type HolderEvent =
  /** Somebody here wants it. */
  | { readonly type: "asked" }
  | ({ readonly type: "granted" } & GrantAnswer)
  | ({ readonly type: "renewed" } & GrantAnswer)
  /** The log was replayed up to this record. */
  | { readonly type: "replayed"; readonly recno: Recno }
  /** Nobody here wants it any more. */
  | { readonly type: "released" }
  /** What was open is finished, and what was done is on the server. */
  | { readonly type: "finished" }
  /** The server has taken this grant back. */
  | { readonly type: "handed-back"; readonly epoch: Epoch }
  /** Somebody else has it since, or the server knows of no such grant. */
  | { readonly type: "passed-on"; readonly epoch: Epoch };

export interface HolderState {
  readonly name: HolderName;
  /** The last grant; meaningless while free or asking. */
  readonly epoch: Epoch;
  /** From this moment on nothing may be changed under it. */
  readonly untilMs: number;
  /** To be replayed before anything is changed: all that was done under the permit before. */
  readonly recno: Recno;
}

export const NO_PERMIT: HolderState = {
  name: "free",
  epoch: NO_EPOCH,
  untilMs: 0,
  recno: NO_RECNO,
};

type Row = Readonly<Record<HolderEvent["type"], HolderName>>;

/** Every state and every event. What comes late changes nothing. */
export const HOLDER_TRANSITIONS: Readonly<Record<HolderName, Row>> = {
  free: row("free", { asked: "asking" }),
  asking: row("asking", { granted: "arriving", released: "free" }),
  arriving: row("arriving", { replayed: "held", released: "returning", "passed-on": "free" }),
  held: row("held", { released: "returning", "passed-on": "free" }),
  returning: row("returning", { finished: "leaving", "passed-on": "free" }),
  leaving: row("leaving", { "handed-back": "free", "passed-on": "free" }),
};

/** The state after an event. Total: every event has a meaning in every state. */
export function nextHolder(state: HolderState, event: HolderEvent): HolderState {
  const isLate = "epoch" in event && isHolding(state) && event.epoch < state.epoch;
  if (isLate) return state;
  const name = HOLDER_TRANSITIONS[state.name][event.type];
  if (name === "free") return NO_PERMIT;
  switch (event.type) {
    case "granted":
      return state.name === "asking" ? granted(event) : state;
    case "renewed":
      return isHolding(state) ? renewed(state, event) : state;
    case "replayed":
      return state.name === "arriving" && event.recno < state.recno ? state : { ...state, name };
    default:
      return { ...state, name };
  }
}

/** Tells whether anything may be changed now. */
export function mayChange(state: HolderState, nowMs: number): boolean {
  return state.name === "held" && nowMs < state.untilMs;
}

/** Tells whether what is open for writing may be written to. */
export function mayFinish(state: HolderState, nowMs: number): boolean {
  return (state.name === "held" || state.name === "returning") && nowMs < state.untilMs;
}

/** Tells whether there is a grant to renew or to return. */
export function isHolding({ name }: HolderState): boolean {
  return name !== "free" && name !== "asking";
}

function granted(answer: GrantAnswer): HolderState {
  const { epoch, recno, isWanted } = answer;
  return { name: isWanted ? "returning" : "arriving", epoch, untilMs: endOf(answer), recno };
}

function renewed(state: HolderState, answer: GrantAnswer): HolderState {
  const { epoch, isWanted } = answer;
  const untilMs = Math.max(state.untilMs, endOf(answer));
  const name = isWanted && state.name !== "leaving" ? "returning" : state.name;
  return { ...state, name, epoch, untilMs };
}

/** The holder's end of a lease: counted from an earlier moment than the server's, and cut by the margin. */
function endOf({ sentMs, leaseMs }: GrantAnswer): number {
  return sentMs + leaseMs * (1 - MARGIN_SHARE);
}

function row(name: HolderName, changes: Partial<Row>): Row {
  const stays: Row = {
    asked: name,
    granted: name,
    renewed: name,
    replayed: name,
    released: name,
    finished: name,
    "handed-back": name,
    "passed-on": name,
  };
  return { ...stays, ...changes };
}
