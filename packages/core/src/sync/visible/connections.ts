import type { Fact } from "./fact.ts";
import type { ShownRecord } from "./shown-record.ts";

/**
 * Which records have to do with which others, found fact by fact: of ten thousand records about one file each is
 * connected to all others, and to go from each to each would take their square in steps.
 */
export class Connections {
  readonly #readersFound = new Set<Fact>();
  readonly #writersFound = new Set<Fact>();

  /**
   * Who reads or writes what a record writes, and who writes what it reads. Whom the facts of an earlier record have
   * led to is left out.
   */
  *of(record: ShownRecord): Generator<ShownRecord, void> {
    for (const fact of record.writes) {
      if (isFirst(this.#readersFound, fact)) yield* fact.readers;
      if (!fact.isShared && isFirst(this.#writersFound, fact)) yield* fact.writers;
    }
    for (const fact of record.reads) if (isFirst(this.#writersFound, fact)) yield* fact.writers;
  }
}

function isFirst(found: Set<Fact>, fact: Fact): boolean {
  return found.size < found.add(fact).size;
}
