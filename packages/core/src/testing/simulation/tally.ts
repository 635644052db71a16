import type { ServerRecord } from "../../kml/record.ts";
import { outcomeOfTrace } from "../../reintegrate/outcome.ts";

/** What happened in one history, or in many: counts by name. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  /** Counts what became of each client's record. */
  addOutcomes(log: readonly ServerRecord[]): void {
    for (const record of log) {
      const outcome = outcomeOfTrace(record);
      if (outcome === null) continue;
      const { verdict, reason } = outcome;
      this.add(`outcome: ${verdict}${reason === null ? "" : `, ${reason}`}`);
    }
  }

  merge(counts: Iterable<readonly [string, number]>): void {
    for (const [name, count] of counts) this.add(name, count);
  }
}
