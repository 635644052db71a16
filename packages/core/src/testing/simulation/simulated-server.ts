/** The server as others meet it: it answers polls, pushes and questions for its tree, and can be restored. */

import {
  EMPTY_SHA256,
  type Oid,
  type PeerId,
  type Recno,
  type Sha256,
  type TimeNs,
} from "../../kml/identity.ts";
import type { ClientOperation } from "../../kml/operation.ts";
import type { Position } from "../../kml/position.ts";
import { NO_CHECK, type ServerRecord } from "../../kml/record.ts";
import { admitPush, PeerDivergedError, type PushHead } from "../../reintegrate/admit.ts";
import { logDecision } from "../../reintegrate/log-decision.ts";
import { reintegrate, type SubmittedRecord } from "../../reintegrate/reintegrate.ts";
import type { StateReader } from "../../replay/state.ts";
import type { ReceivedMark } from "../../sync/replica.ts";
import { withoutBaseCheck, withoutVictimVersion } from "./mutate-judge.ts";
import type { Mutation } from "./mutation.ts";
import type { Random } from "./random.ts";
import type { Change } from "./recording-state.ts";
import { SERVER, SimulatedLedger, type Relation } from "./simulated-ledger.ts";

export interface Push extends PushHead {
  readonly host: string;
  /** Contents that come with the records. */
  readonly contents: readonly Sha256[];
}

export type PushReply =
  | { readonly kind: "received"; readonly mark: ReceivedMark }
  | { readonly kind: "content-missing"; readonly missing: readonly Sha256[] }
  | { readonly kind: "peer-diverged" };

export type PollReply =
  | {
      readonly kind: "records";
      readonly records: readonly ServerRecord[];
      readonly last: Position;
      readonly head: Position;
    }
  | { readonly kind: Exclude<Relation, "shared"> };

/** A tree at a position, and what became of the asking peer's records. */
export interface Snapshot {
  readonly changes: readonly Change[];
  readonly position: Position;
  readonly received: ReceivedMark;
}

/** What a backup of the server holds. */
export interface Backup {
  readonly records: readonly ServerRecord[];
  readonly contents: ReadonlySet<Sha256>;
}

export class SimulatedServer {
  readonly #mutation: Mutation | null;
  #ledger: SimulatedLedger;
  /** Contents in the tree, staged and retained; each is durable before it counts. */
  #contents = new Set<Sha256>([EMPTY_SHA256]);
  #nowNs: TimeNs = 1_700_000_000_000_000_000n;

  constructor(mutation: Mutation | null) {
    this.#mutation = mutation;
    this.#ledger = new SimulatedLedger(mutation);
  }

  /** Log, index and tree, for checks. */
  get ledger(): SimulatedLedger {
    return this.#ledger;
  }

  get machine(): SimulatedLedger["machine"] {
    return this.#ledger.machine;
  }

  /** The tree as of {@link headRecno}. */
  get state(): StateReader {
    return this.#ledger.state;
  }

  get headRecno(): Recno {
    return this.#ledger.position.recno;
  }

  hasContent(sha256: Sha256): boolean {
    return this.#contents.has(sha256);
  }

  jumpClock(byNs: TimeNs): void {
    this.#nowNs += byNs;
  }

  async start(random: Random): Promise<void> {
    await this.#ledger.start(random);
  }

  poll(after: Position, limitRecords: number): PollReply {
    const relation = this.#ledger.relate(after);
    if (relation !== "shared") return { kind: relation };
    const { records, last } = this.#ledger.read(after, limitRecords);
    return { kind: "records", records, last, head: this.#ledger.position };
  }

  relate(position: Position): Relation {
    return this.#ledger.relate(position);
  }

  async push(push: Push): Promise<PushReply> {
    const { state } = this.#ledger;
    let fresh: SubmittedRecord[];
    try {
      fresh = admitPush(push, this.#ledger.received(push.peer), state)
        .filter(({ outcome }) => outcome === null)
        .map(({ record }) => record);
    } catch (error) {
      if (error instanceof PeerDivergedError) return { kind: "peer-diverged" };
      throw error;
    }
    for (const sha256 of push.contents) this.#keep(sha256);
    const missing = fresh.map(({ operation }) => contentOf(operation)).filter(isContent);
    const absent = missing.filter((sha256) => !this.#contents.has(sha256));
    if (absent.length > 0) return { kind: "content-missing", missing: absent };
    const contentToCome = contentsToCome(push);
    for (const record of fresh) this.#judge(record, { host: push.host, contentToCome });
    await this.#ledger.commit();
    const last = push.records.at(-1)?.origin ?? push.received;
    return { kind: "received", mark: { recno: last.recno, check: last.check } };
  }

  /** A program on the server changed the exported directory: it is the server's own record. */
  async edit(operation: ClientOperation): Promise<void> {
    const content = contentOf(operation);
    if (content !== null) this.#keep(content);
    await this.#ledger.author(operation, this.#tick());
  }

  snapshot(peer: PeerId): Snapshot {
    const recno = this.#ledger.received(peer);
    const check = this.state.outcome({ peer, recno })?.check ?? NO_CHECK;
    const changes = this.#ledger
      .changes()
      .filter(({ origin }) => origin === null || origin.peer === peer);
    return { changes, position: this.#ledger.position, received: { recno, check } };
  }

  /** Cuts off the log, all but about the last `kept` records; returns the oldest that is left. */
  async truncate(kept: number): Promise<Recno> {
    const starts = this.#ledger.segmentStarts();
    const oldest = starts.findLast((first) => first <= this.headRecno - kept);
    if (oldest === undefined || oldest === starts[0]) return starts[0]!;
    await this.#ledger.author({ opcode: "TRUNCATED", oldestRecno: oldest }, this.#tick());
    await this.#ledger.truncate(oldest);
    return oldest;
  }

  checkpoint(): void {
    this.#ledger.checkpoint();
  }

  backup(): Backup {
    return { records: [...this.#ledger.history], contents: new Set(this.#contents) };
  }

  /** Contents that a restored server would not have. */
  contentsSince(backup: Backup): Sha256[] {
    return [...this.#contents].filter((sha256) => !backup.contents.has(sha256));
  }

  /** Another machine takes this one's place, with what the backup holds. */
  async restore({ records, contents }: Backup, random: Random): Promise<void> {
    this.#contents = new Set(contents);
    this.#ledger = new SimulatedLedger(this.#mutation);
    await this.#ledger.fill(records, random);
  }

  #judge(submitted: SubmittedRecord, context: Parameters<typeof reintegrate>[2]): void {
    const { state } = this.#ledger;
    const decision = reintegrate(this.#mutate(submitted, state), state, context);
    const end = {
      headRecno: this.#ledger.recno,
      headTimeNs: this.#ledger.timeNs,
      nowNs: this.#tick(),
      server: SERVER,
    };
    for (const record of logDecision(decision, submitted, end)) {
      const isOutcome = record.operation.opcode === "OUTCOME";
      if (isOutcome && this.#mutation === "no trace for an outcome") continue;
      this.#ledger.replay(record);
    }
  }

  #mutate(submitted: SubmittedRecord, state: StateReader): SubmittedRecord {
    if (this.#mutation === "no victim version on removal")
      return withoutVictimVersion(submitted, state);
    if (this.#mutation === "no base check of a content") return withoutBaseCheck(submitted, state);
    return submitted;
  }

  /** Hashed, synced and under its name: nothing of it is seen before. */
  #keep(sha256: Sha256): void {
    this.machine.reach();
    this.#contents.add(sha256);
  }

  #tick(): TimeNs {
    this.#nowNs += 1_000_000n;
    return this.#nowNs;
  }
}

function contentOf(operation: ClientOperation): Sha256 | null {
  return operation.opcode === "CLOSE" ? operation.sha256 : null;
}

function isContent(sha256: Sha256 | null): sha256 is Sha256 {
  return sha256 !== null;
}

/** As the real server does: the last content that the batch brings for each object. */
function contentsToCome(push: Push): (oid: Oid) => Sha256 | undefined {
  const contents = new Map<Oid, Sha256>();
  for (const { operation } of push.records) {
    const content = contentOf(operation);
    if (operation.opcode === "CLOSE" && content !== null) contents.set(operation.oid, content);
  }
  return (oid) => contents.get(oid);
}
