import type { PeerId, Recno, Sha256, TimeNs } from "../../kml/identity.ts";
import { NO_RECNO } from "../../kml/identity.ts";
import type { ServerRecord } from "../../kml/record.ts";
import { NO_CHECK } from "../../kml/record.ts";
import { admitPush, PeerDivergedError, type PushHead } from "../../reintegrate/admit.ts";
import { logDecision } from "../../reintegrate/log-decision.ts";
import { reintegrate, type SubmittedRecord } from "../../reintegrate/reintegrate.ts";
import { MemoryState } from "../../replay/memory-state.ts";
import { replay } from "../../replay/replay.ts";
import type { StateReader } from "../../replay/state.ts";
import type { Mutation } from "./mutation.ts";

/** A position in the simulation: the serial number of a log entry is a perfect running hash. */
export interface SimulatedPosition {
  readonly recno: Recno;
  readonly serial: number;
}

export interface Push extends PushHead {
  readonly host: string;
  /** Contents that the records name; the simulation sends each with its record. */
  readonly contents: readonly Sha256[];
}

export type PushReply =
  | { readonly kind: "received"; readonly recno: Recno; readonly check: string }
  | { readonly kind: "peer-diverged" };

export type PollReply =
  | {
      readonly kind: "records";
      readonly records: readonly ServerRecord[];
      readonly positions: readonly SimulatedPosition[];
      readonly head: Recno;
    }
  | { readonly kind: "log-diverged" };

interface Logged {
  readonly record: ServerRecord;
  readonly serial: number;
}

/** What a backup of the server holds. */
export interface Backup {
  readonly log: readonly Logged[];
  readonly contents: ReadonlySet<Sha256>;
}

const SERVER = "5e".repeat(16) as PeerId;

/** The server as a state machine: admits, judges, logs and replays, with the code of the real one. */
export class SimulatedServer {
  readonly #mutation: Mutation | null;
  #log: Logged[] = [];
  #state = new MemoryState();
  #contents = new Set<Sha256>();
  #lastReceived = new Map<PeerId, Recno>();
  #serials = 0;
  #nowNs: TimeNs = 1_700_000_000_000_000_000n;

  constructor(mutation: Mutation | null) {
    this.#mutation = mutation;
  }

  get state(): StateReader {
    return this.#state;
  }

  get log(): readonly ServerRecord[] {
    return this.#log.map(({ record }) => record);
  }

  get headRecno(): Recno {
    return this.#log.length as Recno;
  }

  hasContent(sha256: Sha256): boolean {
    return this.#contents.has(sha256);
  }

  knows(position: SimulatedPosition): boolean {
    return position.recno === 0 || this.#log[position.recno - 1]?.serial === position.serial;
  }

  poll(after: SimulatedPosition, limit: number): PollReply {
    if (!this.knows(after)) return { kind: "log-diverged" };
    const logged = this.#log.slice(after.recno, after.recno + limit);
    return {
      kind: "records",
      records: logged.map(({ record }) => record),
      positions: logged.map(({ record, serial }) => ({ recno: record.recno, serial })),
      head: this.headRecno,
    };
  }

  push(push: Push): PushReply {
    try {
      const admitted = admitPush(push, this.#lastReceived.get(push.peer) ?? NO_RECNO, this.#state);
      for (const sha256 of push.contents) this.#contents.add(sha256);
      for (const { record, outcome } of admitted) {
        if (outcome === null) this.#take(record, push);
      }
    } catch (error) {
      if (error instanceof PeerDivergedError) return { kind: "peer-diverged" };
      throw error;
    }
    const last = push.records.at(-1)?.origin ?? push.received;
    return { kind: "received", recno: last.recno, check: last.check };
  }

  /** A state of its own, standing at the head: what a snapshot gives. */
  snapshot(): { readonly state: MemoryState; readonly position: SimulatedPosition } {
    const state = new MemoryState();
    for (const { record } of this.#log) replay(record, state, (record.recno - 1) as Recno);
    return { state, position: { recno: this.headRecno, serial: this.#log.at(-1)?.serial ?? 0 } };
  }

  backup(): Backup {
    return { log: [...this.#log], contents: new Set(this.#contents) };
  }

  restore(backup: Backup): void {
    this.#log = [...backup.log];
    this.#contents = new Set(backup.contents);
    this.#lastReceived = new Map();
    for (const { record } of this.#log) this.#noteReceived(record);
    this.#state = this.snapshot().state;
  }

  #take(submitted: SubmittedRecord, push: Push): void {
    const record =
      this.#mutation === "no victim version on removal"
        ? this.#withCurrentVersions(submitted)
        : submitted;
    const contentToCome = (oid: string): Sha256 | undefined =>
      push.records
        .map(({ operation }) => operation)
        .filter((operation) => operation.opcode === "CLOSE" && operation.oid === oid)
        .map((operation) => (operation.opcode === "CLOSE" ? operation.sha256 : null))
        .at(-1) ?? undefined;
    const decision = reintegrate(record, this.#state, { host: push.host, contentToCome });
    this.#nowNs += 1_000_000n;
    const end = { headRecno: this.headRecno, headTimeNs: 0n, nowNs: this.#nowNs, server: SERVER };
    for (const logged of logDecision(decision, submitted, end)) {
      if (this.#mutation === "no trace for an outcome" && logged.operation.opcode === "OUTCOME")
        continue;
      replay(logged, this.#state, (logged.recno - 1) as Recno);
      this.#log.push({ record: logged, serial: (this.#serials += 1) });
      this.#noteReceived(logged);
    }
  }

  #noteReceived({ origin }: ServerRecord): void {
    if (origin.check === NO_CHECK) return;
    const last = this.#lastReceived.get(origin.peer) ?? NO_RECNO;
    if (origin.recno > last) this.#lastReceived.set(origin.peer, origin.recno);
  }

  /** The mutated judge takes whatever stands there for what the author saw. */
  #withCurrentVersions(submitted: SubmittedRecord): SubmittedRecord {
    const { operation } = submitted;
    if (operation.opcode === "UNLINK") {
      const contentBase =
        this.#state.object(operation.oid)?.contentVersion ?? operation.contentBase;
      return { ...submitted, operation: { ...operation, contentBase } };
    }
    if (operation.opcode === "RENAME" && operation.victim !== null) {
      const contentBase =
        this.#state.object(operation.victim.oid)?.contentVersion ?? operation.victim.contentBase;
      return {
        ...submitted,
        operation: { ...operation, victim: { ...operation.victim, contentBase } },
      };
    }
    return submitted;
  }
}
