import type { Recno } from "../../kml/identity.ts";
import type { ObjectKind } from "../../replay/tree-object.ts";
import type { Fact } from "./fact.ts";

interface KindSeen {
  readonly fact: Fact;
  readonly kind: ObjectKind | undefined;
}

/** A pending record as it is shown, and the facts that it read and wrote for that. */
export class ShownRecord {
  /** Of an unsent record its own number, of a frozen one that under which it is sent. */
  readonly recno: Recno;
  readonly isFrozen: boolean;
  /** It does not wait any more: what it wrote is taken back by the next rebase. */
  isGone = false;
  #reads: Fact[] = [];
  #writes: Fact[] = [];
  /** Of these objects it needs to know no more than what they are. */
  #kindsSeen: KindSeen[] = [];
  #kindsWritten: Fact[] = [];

  constructor(recno: Recno, isFrozen: boolean) {
    this.recno = recno;
    this.isFrozen = isFrozen;
  }

  get reads(): readonly Fact[] {
    return this.#reads;
  }

  get writes(): readonly Fact[] {
    return this.#writes;
  }

  get kindsWritten(): readonly Fact[] {
    return this.#kindsWritten;
  }

  noteRead(fact: Fact): void {
    if (fact.readers.add(this)) this.#reads.push(fact);
  }

  noteWritten(fact: Fact): void {
    if (fact.writers.add(this)) this.#writes.push(fact);
  }

  noteKindSeen(fact: Fact, kind: ObjectKind | undefined): void {
    if (fact.readers.add(this)) this.#kindsSeen.push({ fact, kind });
  }

  noteKindWritten(fact: Fact): void {
    if (fact.writers.add(this)) this.#kindsWritten.push(fact);
  }

  /** It is shown: no more is noted until it is shown anew. An array that was pushed to has room for many more. */
  settle(): void {
    this.#reads = this.#reads.slice();
    this.#writes = this.#writes.slice();
    this.#kindsSeen = this.#kindsSeen.slice();
    this.#kindsWritten = this.#kindsWritten.slice();
  }

  /** Tells whether it found an object to be that. */
  hasSeen(fact: Fact, kind: ObjectKind | undefined): boolean {
    return this.#kindsSeen.some((seen) => seen.fact === fact && seen.kind === kind);
  }

  /** Records behind this one that have made an object what this one has found it to be. */
  *foreseen(): Generator<ShownRecord, void> {
    for (const { fact } of this.#kindsSeen)
      for (const writer of fact.writers) if (writer.compare(this) > 0) yield writer;
  }

  /** Below 0 where this is shown before the other: what was sent comes first. */
  compare({ isFrozen, recno }: ShownRecord): number {
    return isFrozen === this.isFrozen
      ? this.recno - recno
      : Number(isFrozen) - Number(this.isFrozen);
  }

  /** Forgets what it read and wrote, before it is shown anew. */
  forget(): void {
    for (const fact of this.#reads) fact.release(this);
    for (const fact of this.#writes) fact.release(this);
    for (const { fact } of this.#kindsSeen) fact.release(this);
    for (const fact of this.#kindsWritten) fact.release(this);
    this.#reads = [];
    this.#writes = [];
    this.#kindsSeen = [];
    this.#kindsWritten = [];
  }
}
