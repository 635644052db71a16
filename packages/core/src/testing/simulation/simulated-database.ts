import type { PeerId, Recno } from "../../kml/identity.ts";
import type { OriginId } from "../../kml/operation.ts";
import { MemoryState } from "../../replay/memory-state.ts";
import type { MutableState } from "../../replay/state.ts";
import type { Machine, StopKind } from "./machine.ts";
import type { Random } from "./random.ts";
import { RecordingState, type Change } from "./recording-state.ts";

interface Transaction<Facts> {
  readonly changes: readonly Change[];
  readonly facts: Facts;
}

/**
 * A tree with a few facts about it, as server and client keep them in SQLite, in WAL mode with
 * `synchronous = NORMAL`: a transaction is there as a whole or not at all. A killed process loses none
 * that was committed; a power cut takes back any number of the last ones, but none from before the
 * last checkpoint.
 */
export class SimulatedDatabase<Facts> {
  readonly #machine: Machine;
  readonly #start: Facts;
  /** Whose outcomes are kept, as on a client; null for everybody's. */
  keepsOutcomesOf: PeerId | null = null;
  #committed: Transaction<Facts>[] = [];
  /** How many of the committed transactions a power cut cannot take back. */
  #durableCount = 0;
  #open: Change[] = [];
  #tree = new MemoryState();
  #changing: MutableState = this.#recording();
  readonly #received = new Map<PeerId, Recno>();

  constructor(machine: Machine, start: Facts) {
    this.#machine = machine;
    this.#start = start;
  }

  /** The tree, what was changed since the last commit included. */
  get tree(): MemoryState {
    return this.#tree;
  }

  /** {@link tree}, to be changed by the next {@link commit}. */
  get changing(): MutableState {
    return this.#changing;
  }

  get facts(): Facts {
    return this.#committed.at(-1)?.facts ?? this.#start;
  }

  /** The last record of a peer of which an outcome is here (`last_rcvd`); 0 for none. */
  received(peer: PeerId): Recno {
    return this.#received.get(peer) ?? (0 as Recno);
  }

  /** All changes that lead from an empty tree to the committed one, in order. */
  changes(): Change[] {
    return this.#effective().flatMap(({ changes }) => changes);
  }

  /** Takes the outcomes out of what the next {@link commit} commits. */
  takeOutcomes(): Change[] {
    const outcomes = this.#open.filter(({ origin }) => origin !== null);
    this.#open = this.#open.filter(({ origin }) => origin === null);
    return outcomes;
  }

  /** Adds changes to what the next {@link commit} commits. */
  add(changes: readonly Change[]): void {
    this.#open.push(...changes);
  }

  /** Commits what was changed since the last commit, together with the facts. */
  commit(facts: Facts): void {
    this.#machine.reach();
    this.#committed.push({ changes: this.#open, facts });
    this.#open = [];
    this.#machine.reach();
  }

  /** Puts a tree in the place of this one, as one transaction. */
  replace(changes: readonly Change[], facts: Facts): void {
    this.#machine.reach();
    this.#committed.push({ changes: [STARTS_ANEW, ...changes], facts });
    this.#rebuild();
    this.#machine.reach();
  }

  /** Makes all that is committed durable. */
  checkpoint(): void {
    this.#machine.reach();
    this.#durableCount = this.#committed.length;
  }

  /** What is found after a stop. */
  recover(kind: StopKind, random: Random): void {
    if (kind === "power cut") {
      const open = this.#committed.length - this.#durableCount;
      this.#committed.length = this.#durableCount + random.below(open + 1);
      this.#durableCount = this.#committed.length;
    }
    this.#rebuild();
  }

  /** A copy on another machine, taken while this one was running. */
  copyTo(machine: Machine, random: Random): SimulatedDatabase<Facts> {
    const copy = new SimulatedDatabase(machine, this.#start);
    copy.#committed = [...this.#committed];
    copy.#durableCount = this.#durableCount;
    copy.recover("power cut", random);
    return copy;
  }

  #rebuild(): void {
    this.#open = [];
    this.#received.clear();
    this.#tree = new MemoryState();
    this.#changing = this.#recording();
    for (const change of this.changes()) {
      change.apply(this.#tree);
      this.#noteReceived(change);
    }
  }

  #effective(): Transaction<Facts>[] {
    const start = this.#committed.findLastIndex(({ changes }) => changes[0] === STARTS_ANEW);
    return this.#committed.slice(Math.max(start, 0));
  }

  #recording(): MutableState {
    const record = (change: Change): void => {
      this.#open.push(change);
      this.#noteReceived(change);
    };
    const keeps = ({ peer }: OriginId): boolean =>
      this.keepsOutcomesOf === null || this.keepsOutcomesOf === peer;
    return new RecordingState(this.#tree, record, keeps);
  }

  #noteReceived({ origin }: Change): void {
    if (origin !== null && origin.recno > this.received(origin.peer))
      this.#received.set(origin.peer, origin.recno);
  }
}

/** The first change of a transaction that does not build on those before it. */
const STARTS_ANEW: Change = { origin: null, apply: () => {} };
