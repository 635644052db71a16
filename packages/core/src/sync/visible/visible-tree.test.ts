import { describe, expect, it } from "vitest";

import { ROOT_OID, type Oid, type PeerId, type Recno, type Sha256 } from "../../kml/identity.ts";
import { parseName } from "../../kml/name.ts";
import type { ClientOperation, Operation } from "../../kml/operation.ts";
import { NO_CHECK, type ServerRecord } from "../../kml/record.ts";
import { logDecision } from "../../reintegrate/log-decision.ts";
import { reintegrate, type SubmittedRecord } from "../../reintegrate/reintegrate.ts";
import { MemoryState } from "../../replay/memory-state.ts";
import { replay } from "../../replay/replay.ts";
import type { TreeObject } from "../../replay/tree-object.ts";
import { PendingLog } from "../pending-log.ts";
import { Replica } from "../replica.ts";

const ME = "11".repeat(16) as PeerId;
const OTHER = "22".repeat(16) as PeerId;
const ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };
const DIRECTORY = "dd".repeat(16) as Oid;
const CONTENT = "01".repeat(32) as Sha256;

const oidOf = (index: number): Oid => `e${index.toString(16).padStart(31, "0")}` as Oid;

/** Counts how often an object of it is asked for. */
class CountingState extends MemoryState {
  asked = 0;

  override object(oid: Oid): TreeObject | undefined {
    this.asked += 1;
    return super.object(oid);
  }
}

function make(opcode: "CREATE" | "MKDIR", oid: Oid, parent: Oid, name: string): ClientOperation {
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n };
  return {
    opcode,
    oid,
    parent,
    name: parseName(name),
    path: `/${name}`,
    conflict: null,
    ...attributes,
  };
}

/** A client that has made a directory and files in it, and knows nothing of its server yet. */
class Author {
  readonly state = new CountingState();
  readonly pending = new PendingLog(ME);
  readonly replica = new Replica(this.state, 0 as Recno, this.pending, {
    recno: 0 as Recno,
    check: NO_CHECK,
  });
  readonly server = new MemoryState();
  readonly log: ServerRecord[] = [];
  #recno = 0;

  constructor(files: number) {
    this.record(make("MKDIR", DIRECTORY, ROOT_OID, "d"));
    for (let index = 1; index <= files; index += 1) {
      const base = this.record(make("CREATE", oidOf(index), DIRECTORY, `file-${index}`));
      const content = { sizeBytes: 1, mtimeNs: 1n, sha256: CONTENT, conflict: null };
      const contentBase = { peer: ME, recno: base };
      this.record({ opcode: "CLOSE", oid: oidOf(index), path: "/d", contentBase, ...content });
    }
  }

  record(operation: Operation): Recno {
    this.#recno += 1;
    const recno = this.#recno as Recno;
    const origin = { peer: ME, recno, check: NO_CHECK };
    this.replica.addOwn({
      recno,
      origin,
      authorTimeNs: 0n,
      logTimeNs: 0n,
      actor: ACTOR,
      operation,
    });
    return recno;
  }

  /** Its first records reach the server. */
  send(count: number): void {
    for (const { covers, record } of this.pending.sendable().slice(0, count))
      this.record({ opcode: "SENT", covers, operation: record?.operation ?? null });
    for (const { submitted } of this.replica.toSend) this.receive(submitted);
  }

  /** The server takes a record of a client. */
  receive(submitted: SubmittedRecord): void {
    const context = { host: "laptop", contentToCome: () => undefined };
    const decision = reintegrate(submitted, this.server, context);
    const headRecno = this.log.length as Recno;
    const end = { headRecno, headTimeNs: 0n, nowNs: 1n, server: OTHER };
    for (const record of logDecision(decision, submitted, end)) {
      replay(record, this.server, (record.recno - 1) as Recno);
      this.log.push(record);
    }
  }

  /** Pulls what there is; tells how often that asked for an object. */
  pull(): number {
    this.replica.showOwn();
    this.state.asked = 0;
    this.replica.pull(this.log);
    return this.state.asked;
  }
}

describe("VisibleTree", () => {
  it.each([
    { description: "the first own records", send: (author: Author) => author.send(21) },
    {
      description: "a record of somebody else about something else",
      send: (author: Author) => {
        author.receive({
          origin: { peer: OTHER, recno: 1 as Recno, check: "c".repeat(16) },
          authorTimeNs: 0n,
          actor: ACTOR,
          operation: make("CREATE", oidOf(0xabcdef), ROOT_OID, "other"),
        });
      },
    },
  ])("[C5] costs what was pulled, and not what waits: $description", ({ send }) => {
    const [few, many] = [50, 1000].map((files) => {
      const author = new Author(files);
      send(author);
      return author.pull();
    });
    expect(many).toBe(few);
  });

  it("[C5] follows a directory that merges with somebody else's: all that waits in it goes along", () => {
    const author = new Author(3);
    author.receive({
      origin: { peer: OTHER, recno: 1 as Recno, check: "c".repeat(16) },
      authorTimeNs: 0n,
      actor: ACTOR,
      operation: make("MKDIR", oidOf(0xabcdef), ROOT_OID, "d"),
    });
    author.send(1);
    author.pull();
    const { visible } = author.replica;
    expect(visible.object(DIRECTORY)).toBeUndefined();
    expect([...visible.children(oidOf(0xabcdef))].map(({ name }) => name)).toEqual([
      "file-1",
      "file-2",
      "file-3",
    ]);
  });

  it("[C5] brings back a directory that somebody removed while files in it wait", () => {
    const author = new Author(1);
    author.send(Infinity);
    author.pull();
    author.record(make("CREATE", oidOf(7), DIRECTORY, "late"));
    for (const [recno, oid] of [oidOf(1), DIRECTORY].entries()) {
      const { parent, name, version: nameBase } = author.server.links(oid)[0]!;
      const place = { oid, parent, name, path: "/d", nameBase: nameBase as Recno };
      author.receive({
        origin: { peer: OTHER, recno: (recno + 1) as Recno, check: "c".repeat(16) },
        authorTimeNs: 0n,
        actor: ACTOR,
        operation:
          oid === DIRECTORY
            ? { opcode: "RMDIR", ...place }
            : {
                opcode: "UNLINK",
                ...place,
                contentBase: author.server.object(oid)!.contentVersion as Recno,
                isLastName: true,
              },
      });
    }
    author.pull();
    const { visible } = author.replica;
    expect(visible.entry(ROOT_OID, parseName("d"))?.oid).toBe(DIRECTORY);
    expect([...visible.children(DIRECTORY)].map(({ name }) => name)).toEqual(["late"]);
  });
});
