/**
 * A server and some clients that want permits, on clocks of their own, behind a network that loses,
 * repeats, delays and reorders. It drives the code that real processes run, and after each step
 * compares what everybody believes (docs/permits.md).
 */

import { ROOT_OID, type Oid, type PeerId, type Recno } from "../../kml/identity.ts";
import {
  isHolding,
  mayFinish,
  nextHolder,
  NO_PERMIT,
  type GrantAnswer,
  type HolderEvent,
  type HolderState,
} from "../../permit/permit-holder.ts";
import {
  NO_PERMITS,
  renewPermit,
  restorePermits,
  handBackPermit,
  takePermit,
  type PermitContext,
  type PermitTable,
} from "../../permit/permit-table.ts";
import type { Epoch } from "../../permit/permit.ts";

/** What happens next; numbers pick a client, a directory or a message. */
export type PermitAction =
  | { readonly type: "pass"; readonly ms: number }
  | {
      readonly type: "ask" | "release" | "replay" | "finish" | "send" | "exchange";
      readonly client: number;
      readonly at: number;
    }
  | { readonly type: "deliver" | "lose" | "repeat"; readonly message: number }
  | { readonly type: "restart-server" }
  | { readonly type: "restart-client"; readonly client: number };

/** Rules that a test can break, to see that it is noticed. */
export interface PermitFaults {
  /** Holders use this share of a lease more than they may. */
  readonly overstayShare?: number;
  /** A server that starts takes what was granted for over. */
  readonly forgetsOnRestart?: boolean;
  /** A server looks at nothing but equal directories. */
  readonly ignoresNesting?: boolean;
}

/** `/a`, `/a/deep` and `/b` below the root. */
export const DIRECTORIES = [ROOT_OID, ...["a", "d", "b"].map((digit) => digit.repeat(32) as Oid)];
const PARENTS = [-1, 0, 1, 0];

const TERM_MS = 10_000;
const GRACE_MS = 4_000;

interface Message {
  readonly deliver: () => void;
}

interface Client {
  readonly peer: PeerId;
  /** Milliseconds of its clock in one of real time: clocks that are right within 2 %. */
  readonly rate: number;
  readonly holders: HolderState[];
}

export class PermitWorld {
  readonly #faults: PermitFaults;
  readonly #clients: readonly Client[];
  #realMs = 0;
  #serverOffsetMs = 5_000;
  #table: PermitTable = NO_PERMITS;
  #messages: Message[] = [];
  #recno = 0;

  constructor(rates: readonly number[], faults: PermitFaults = {}) {
    this.#faults = faults;
    this.#clients = rates.map((rate, index) => ({
      peer: `${index + 1}`.repeat(32) as PeerId,
      rate,
      holders: DIRECTORIES.map(() => NO_PERMIT),
    }));
  }

  act(action: PermitAction): void {
    switch (action.type) {
      case "pass":
        this.#realMs += action.ms;
        return;
      case "ask":
        return this.#happen(action.client, action.at, { type: "asked" });
      case "release":
        return this.#happen(action.client, action.at, { type: "released" });
      case "finish":
        return this.#happen(action.client, action.at, { type: "finished" });
      case "replay": {
        const recno = this.#recno as Recno;
        return this.#happen(action.client, action.at, { type: "replayed", recno });
      }
      case "exchange":
        // A request and its answer at once, as on most days.
        this.#send(action.client, action.at);
        this.#messages.pop()?.deliver();
        this.#messages.pop()?.deliver();
        return;
      case "send":
        return this.#send(action.client, action.at);
      case "deliver":
      case "lose":
      case "repeat": {
        const index = action.message % Math.max(this.#messages.length, 1);
        const message = this.#messages[index];
        if (action.type !== "repeat") this.#messages.splice(index, 1);
        if (action.type !== "lose") message?.deliver();
        return;
      }
      case "restart-server":
        return this.#restartServer();
      case "restart-client":
        this.#clients[action.client]!.holders.fill(NO_PERMIT);
    }
  }

  /** Where two believe to hold what overlaps, or one holds what the server would give away. */
  violation(): string | null {
    const believed = this.#clients.flatMap((client) =>
      client.holders.flatMap((state, at) =>
        mayFinish(state, this.#believedMs(client, state)) ? [{ client, at, state }] : [],
      ),
    );
    for (const { client, at } of believed) {
      const rival = believed.find(
        (other) => other.client !== client && isNested(at, other.at) !== "apart",
      );
      if (rival !== undefined) {
        return `${client.peer[0]} holds ${at} while ${rival.client.peer[0]} holds ${rival.at}`;
      }
      const isBacked = this.#table.grants.some(
        ({ oid, peer, expiresMs }) =>
          oid === DIRECTORIES[at] && peer === client.peer && expiresMs > this.#serverMs(),
      );
      if (!isBacked) return `${client.peer[0]} holds ${at}, which the server would give away`;
    }
    return null;
  }

  /** How many directories somebody may write to now. */
  get heldCount(): number {
    return this.#clients.reduce(
      (sum, client) =>
        sum +
        client.holders.filter((state) => mayFinish(state, this.#believedMs(client, state))).length,
      0,
    );
  }

  #serverMs(): number {
    return this.#realMs + this.#serverOffsetMs;
  }

  #clientMs(client: Client): number {
    return this.#realMs * client.rate;
  }

  #believedMs(client: Client, state: HolderState): number {
    const { overstayShare = 0 } = this.#faults;
    const isHeld = isHolding(state) && this.#clientMs(client) >= state.untilMs;
    return this.#clientMs(client) - (isHeld ? overstayShare * TERM_MS : 0);
  }

  #happen(client: number, at: number, event: HolderEvent): void {
    const { holders } = this.#clients[client]!;
    holders[at] = nextHolder(holders[at]!, event);
  }

  #context(): PermitContext {
    return {
      nowMs: this.#serverMs(),
      termMs: TERM_MS,
      graceMs: GRACE_MS,
      overlaps: (a, b) => {
        const nesting = isNested(DIRECTORIES.indexOf(a), DIRECTORIES.indexOf(b));
        return nesting === "same" || (nesting === "nested" && this.#faults.ignoresNesting !== true);
      },
    };
  }

  /** What the state of a holder has it ask of the server. */
  #send(client: number, at: number): void {
    const { peer, holders } = this.#clients[client]!;
    const { name, epoch } = holders[at]!;
    const oid = DIRECTORIES[at]!;
    const sentMs = this.#clientMs(this.#clients[client]!);
    const reply = (event: HolderEvent): void => {
      this.#messages.push({ deliver: () => this.#happen(client, at, event) });
    };
    const request = (deliver: () => void): void => void this.#messages.push({ deliver });
    if (name === "asking") {
      request(() => {
        const taken = takePermit(this.#table, { peer, host: "host", oid }, 1_000, this.#context());
        this.#table = taken.table;
        if (!("grant" in taken)) return;
        this.#recno += 1;
        reply({ type: "granted", ...this.#answer(sentMs, taken.grant) });
      });
    }
    if (isHolding(holders[at]!)) {
      request(() => {
        const renewed = renewPermit(this.#table, peer, { oid, epoch }, this.#context());
        this.#table = renewed.table;
        if (renewed.grant === null) reply({ type: "passed-on", epoch });
        else reply({ type: "renewed", ...this.#answer(sentMs, renewed.grant) });
      });
    }
    if (name === "leaving") {
      request(() => {
        this.#table = handBackPermit(this.#table, peer, { oid, epoch });
        reply({ type: "handed-back", epoch });
      });
    }
  }

  #answer(sentMs: number, grant: { epoch: Epoch; expiresMs: number; wish: unknown }): GrantAnswer {
    return {
      sentMs,
      epoch: grant.epoch,
      leaseMs: grant.expiresMs - this.#serverMs(),
      recno: this.#recno as Recno,
      isWanted: grant.wish !== null,
    };
  }

  /** Its monotonic clock begins anew with the machine, and grants are read back from its disk. */
  #restartServer(): void {
    this.#serverOffsetMs = -this.#realMs;
    const { lastEpoch, grants } = this.#table;
    const { nowMs, termMs } = this.#context();
    this.#table =
      this.#faults.forgetsOnRestart === true
        ? { lastEpoch, grants: [] }
        : restorePermits(lastEpoch, grants, { nowMs, termMs });
  }
}

function isNested(a: number, b: number): "same" | "nested" | "apart" {
  if (a === b) return "same";
  return isBelow(a, b) || isBelow(b, a) ? "nested" : "apart";
}

function isBelow(at: number, above: number): boolean {
  for (let up = PARENTS[at]!; up >= 0; up = PARENTS[up]!) if (up === above) return true;
  return false;
}
