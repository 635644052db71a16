import {
  entryKey,
  MemoryState,
  NO_CHECK,
  NO_RECNO,
  originKey,
  replay,
  type KmlReader,
  type Name,
  type Oid,
  type OriginId,
  type Recno,
  type ReplicatedOperation,
  type ServerRecord,
  type SnapshotRow,
} from "@izo/core";

import { loadAnchor } from "../log/load-anchor.ts";

/**
 * What a log says, from nothing but the log (and the tree where it begins, once it was truncated):
 * replayed into memory by the code that clients replay
 * with, which shares nothing with the index. It remembers which record touched what last.
 */
export class ReplayedLog {
  readonly state = new MemoryState();
  readonly #objects = new Map<Oid, Recno>();
  readonly #names = new Map<string, Recno>();
  readonly #origins = new Map<string, OriginId>();
  #head: Recno = NO_RECNO;

  /** The last record replayed. */
  get head(): Recno {
    return this.#head;
  }

  /** Starts from the tree where a truncated log begins, before anything is replayed. */
  async start(rows: AsyncIterable<SnapshotRow>): Promise<void> {
    const { recno } = await loadAnchor(rows, this.state);
    this.#head = recno;
    for (const { oid } of this.state.objects()) this.#objects.set(oid, recno);
  }

  /** Replays what the log holds behind the head, up to a record. */
  *advance(log: KmlReader, upTo: Recno): Generator<Recno, void> {
    for (const scanned of log.read(this.#head, { upTo })) {
      const record = scanned.decode() as ServerRecord;
      this.#head = replay(record, this.state, this.#head);
      this.#note(record);
      yield record.recno;
    }
  }

  /** Every object that a record has named, living or removed. */
  oids(): Iterable<Oid> {
    return this.#objects.keys();
  }

  /** Every client record that left its trace. */
  origins(): Iterable<OriginId> {
    return this.#origins.values();
  }

  /** The last record that touched an object, or null. */
  lastOf(oid: Oid): Recno | null {
    return this.#objects.get(oid) ?? null;
  }

  /** The last record that touched a name, or what it names, or null. */
  lastOfName(parent: Oid, name: Name): Recno | null {
    const ofName = this.#names.get(entryKey(parent, name)) ?? NO_RECNO;
    const entry = this.state.entry(parent, name);
    const ofObject = entry === undefined ? NO_RECNO : (this.#objects.get(entry.oid) ?? NO_RECNO);
    const last = Math.max(ofName, ofObject) as Recno;
    return last === NO_RECNO ? null : last;
  }

  #note({ recno, operation, origin }: ServerRecord): void {
    for (const oid of objectsOf(operation)) this.#objects.set(oid, recno);
    for (const [parent, name] of namesOf(operation)) this.#names.set(entryKey(parent, name), recno);
    if (origin.check !== NO_CHECK) this.#origins.set(originKey(origin), origin);
  }
}

function objectsOf(operation: ReplicatedOperation): readonly Oid[] {
  switch (operation.opcode) {
    case "RENAME":
      return operation.victim === null ? [operation.oid] : [operation.oid, operation.victim.oid];
    case "ALIAS":
      return [operation.oid, operation.alias];
    // It says what became of a record, and changes no object.
    case "OUTCOME":
      return [];
    default:
      return "oid" in operation ? [operation.oid] : [];
  }
}

function namesOf(operation: ReplicatedOperation): readonly (readonly [Oid, Name])[] {
  if (operation.opcode === "RENAME") {
    const { fromParent, fromName, toParent, toName } = operation;
    return [
      [fromParent, fromName],
      [toParent, toName],
    ];
  }
  return "parent" in operation ? [[operation.parent, operation.name]] : [];
}
