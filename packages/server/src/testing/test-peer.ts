import { hash, randomUUID } from "node:crypto";

import {
  computeOriginCheck,
  ROOT_OID,
  type ClientOperation,
  type Name,
  type Oid,
  type PeerId,
  type PermitFence,
  type Recno,
  type Sha256,
  type SubmittedRecord,
} from "@izo/core";

import type { Export, PushResult } from "../export/export.ts";

/** Who asks, and when, as far as its records say. */
export interface TestAuthor {
  readonly uid: number;
  readonly host: string;
  readonly command: string;
  readonly nowNs: () => bigint;
}

const SOMEBODY: TestAuthor = {
  uid: 0,
  host: "laptop",
  command: "test",
  nowNs: () => 1_700_000_000_000_000_000n,
};

/** What a client asks of an export. */
type Pushed = Pick<Export, "reintegrate" | "stageInline">;

/** A client as the server sees one: it numbers its records and pushes them, and has no cache. */
export class TestPeer {
  readonly peer = newId();
  #exported: Pushed;
  readonly #author: TestAuthor;
  #recno = 0;
  #acknowledged = { recno: 0 as Recno, check: "0".repeat(16) };

  constructor(exported: Pushed, author: Partial<TestAuthor> = {}) {
    this.#exported = exported;
    this.#author = { ...SOMEBODY, ...author };
  }

  /** The number of the record that is made next. */
  get nextRecno(): Recno {
    return (this.#recno + 1) as Recno;
  }

  nowNs(): bigint {
    return this.#author.nowNs();
  }

  /** Goes on with an export that was opened again. */
  resume(exported: Pushed): this {
    this.#exported = exported;
    return this;
  }

  record(operation: ClientOperation): SubmittedRecord {
    this.#recno += 1;
    const origin = { peer: this.peer, recno: this.#recno as Recno };
    const { uid, command, nowNs } = this.#author;
    const actor = { uid, gid: uid, groups: [], command };
    const sent = { authorTimeNs: nowNs(), actor, operation };
    return { ...sent, origin: { ...origin, check: computeOriginCheck({ ...sent, origin }) } };
  }

  async push(...operations: ClientOperation[]): Promise<readonly PushResult[]> {
    const records = operations.map((operation) => this.record(operation));
    const results = await this.send(records);
    this.#acknowledged = records.at(-1)!.origin;
    return results;
  }

  /** Sends records that may have been sent before. */
  send(
    records: readonly SubmittedRecord[],
    permits: readonly PermitFence[] = [],
  ): Promise<readonly PushResult[]> {
    const { peer } = this;
    const received = this.#acknowledged;
    const { host } = this.#author;
    return this.#exported.reintegrate({ peer, host, received, permits, records });
  }

  async stage(content: string): Promise<Sha256> {
    const sha256 = hash("sha256", content) as Sha256;
    this.#exported.stageInline(sha256, Buffer.from(content));
    return sha256;
  }
}

export function newId(): Oid & PeerId {
  return randomUUID().replaceAll("-", "") as Oid & PeerId;
}

export const T = 1_600_000_000_123_456_789n;

export function createFile(
  name: string,
  oid: Oid = newId(),
  parent = ROOT_OID,
): ClientOperation & { oid: Oid } {
  return { ...made(name, oid, parent), opcode: "CREATE", mode: 0o640 };
}

export function makeDirectory(
  name: string,
  oid: Oid = newId(),
  parent = ROOT_OID,
): ClientOperation & { oid: Oid } {
  return { ...made(name, oid, parent), opcode: "MKDIR", mode: 0o750 };
}

export function closeFile(
  oid: Oid,
  content: string,
  contentBase: Extract<ClientOperation, { opcode: "CLOSE" }>["contentBase"],
  path = "/",
): ClientOperation {
  const bytes = Buffer.from(content);
  return {
    opcode: "CLOSE",
    oid,
    path,
    contentBase,
    sizeBytes: bytes.length,
    mtimeNs: T,
    sha256: hash("sha256", bytes) as Sha256,
    conflict: null,
  };
}

function made(name: string, oid: Oid, parent: Oid) {
  return {
    oid,
    parent,
    name: name as Name,
    path: `/${name}`,
    uid: process.getuid!(),
    gid: process.getgid!(),
    mtimeNs: T,
    conflict: null,
  };
}
