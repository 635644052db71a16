import type { Oid, PeerId, Recno } from "../../kml/identity.ts";
import type { ClientOperation } from "../../kml/operation.ts";
import type { ServerRecord } from "../../kml/record.ts";
import type { Decision } from "../../reintegrate/decision.ts";
import { logDecision } from "../../reintegrate/log-decision.ts";
import { reintegrate } from "../../reintegrate/reintegrate.ts";
import { MemoryState } from "../../replay/memory-state.ts";
import { replay } from "../../replay/replay.ts";
import type { UndoPlan } from "../../undo/undo-plan.ts";

const SERVER = "5e".repeat(16) as PeerId;

/** A server in memory: a log, the tree that it leads to, and the judge. */
export class JudgedLog {
  readonly state = new MemoryState();
  readonly records: ServerRecord[] = [];
  readonly #sent = new Map<PeerId, number>();

  get head(): Recno {
    return this.records.length as Recno;
  }

  /** Judges a client's record, and logs and replays what comes of it. */
  submit(
    peer: PeerId,
    operation: ClientOperation,
    revives?: (oid: Oid) => Recno | undefined,
  ): Decision {
    const recno = ((this.#sent.get(peer) ?? 0) + 1) as Recno;
    this.#sent.set(peer, recno);
    const timeNs = BigInt(this.records.length + 1) * 1_000_000n;
    const submitted = {
      origin: { peer, recno, check: "c".repeat(16) },
      authorTimeNs: timeNs,
      actor: { uid: 1000, gid: 1000, groups: [], command: "test" },
      operation,
    };
    const decision = reintegrate(submitted, this.state, {
      host: "host",
      contentToCome: () => undefined,
      ...(revives !== undefined && { revives }),
    });
    const end = { headRecno: this.head, headTimeNs: 0n, nowNs: timeNs, server: SERVER };
    for (const record of logDecision(decision, submitted, end)) {
      replay(record, this.state, this.head);
      this.records.push(record);
    }
    return decision;
  }

  /** Does an undo as the peer that it was planned for. */
  undo(peer: PeerId, { operations, revivals }: UndoPlan): Decision[] {
    const removals = new Map(revivals.map(({ oid, removedAt }) => [oid, removedAt]));
    return operations.map((operation) => this.submit(peer, operation, (oid) => removals.get(oid)));
  }

  /** The tree behind a record. */
  at(recno: Recno): MemoryState {
    const state = new MemoryState();
    for (const record of this.records.slice(0, recno)) {
      replay(record, state, (record.recno - 1) as Recno);
    }
    return state;
  }
}
