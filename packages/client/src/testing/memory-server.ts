import {
  EMPTY_SHA256,
  logDecision,
  MemoryState,
  NO_CHECK,
  type PeerId,
  type Recno,
  reintegrate,
  type ReintegrateRequest,
  type ReintegrateResponse,
  replay,
  type ReplicatedOperation,
  type ServerRecord,
  type Sha256,
} from "@izo/core";

const SERVER = "5e".repeat(16) as PeerId;
const START_NS = 1_700_000_000_000_000_000n;
const ACTOR = { uid: 0, gid: 0, groups: [], command: "server" };

/**
 * A server's log and tree in memory: it judges as the real one does, and gives its records out as slowly
 * as a test asks for them. Contents are in a map that the client's fetches read.
 */
export class MemoryServer {
  readonly state = new MemoryState();
  readonly log: ServerRecord[] = [];
  readonly #contents: Map<Sha256, Buffer>;

  constructor(contents: Map<Sha256, Buffer>) {
    this.#contents = contents;
  }

  get head(): Recno {
    return this.log.length as Recno;
  }

  /** A program on the server's machine did this. */
  change(operation: ReplicatedOperation): void {
    const recno = (this.head + 1) as Recno;
    const times = { authorTimeNs: START_NS, logTimeNs: START_NS };
    const origin = { peer: SERVER, recno, check: NO_CHECK };
    this.#take({ recno, ...times, origin, actor: ACTOR, operation });
  }

  push({ host, records, contents }: ReintegrateRequest): Promise<ReintegrateResponse> {
    for (const { sha256, bytes } of contents) this.#contents.set(sha256, Buffer.from(bytes));
    for (const submitted of records) {
      const { operation } = submitted;
      if (operation.opcode === "CLOSE" && !this.#has(operation.sha256))
        throw new Error(`record ${submitted.origin.recno} came without its content`);
      const decision = reintegrate(submitted, this.state, { host, contentToCome: () => undefined });
      const end = { headRecno: this.head, headTimeNs: START_NS, nowNs: START_NS, server: SERVER };
      for (const record of logDecision(decision, submitted, end)) this.#take(record);
    }
    // Nobody acts on what an answer says beyond how many records it is about.
    const results = records.map(({ origin }) => ({
      originRecno: origin.recno,
      verdict: "applied" as const,
      reason: null,
      trace: this.head,
    }));
    return Promise.resolve({ head: { recno: this.head, hash: EMPTY_SHA256 }, results });
  }

  #has(sha256: Sha256 | null): boolean {
    return sha256 === EMPTY_SHA256 || (sha256 !== null && this.#contents.has(sha256));
  }

  #take(record: ServerRecord): void {
    replay(record, this.state, (record.recno - 1) as Recno);
    this.log.push(record);
  }
}
