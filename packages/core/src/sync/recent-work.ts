import type { Recno } from "../kml/identity.ts";

/** A build, a run of tests, an archive that was unpacked to look into it. */
const RECENT_MS = 60 * 60 * 1000;

/** Between two places that are kept: so much less than {@link RECENT_MS} counts in the worst case. */
const STEP_MS = 60 * 1000;

interface Place {
  readonly ms: number;
  readonly recno: Recno;
}

/**
 * Tells what in a log is of the last hour, for who notes where the log stands before he adds to it. What
 * was logged before the first note is old, whenever it was; so is everything after a clock that went back.
 */
export class RecentWork {
  #places: Place[] = [];

  /** The log stands there now. */
  note(nowMs: number, recno: Recno): void {
    const last = this.#places.at(-1);
    if (last !== undefined && (last.ms > nowMs || last.recno > recno)) this.#places = [];
    else if (last !== undefined && nowMs - last.ms < STEP_MS) return;
    this.#places = this.#places.filter(({ ms }) => nowMs - ms <= RECENT_MS);
    this.#places.push({ ms: nowMs, recno });
  }

  /** Records behind this one are of the last hour; null where none is known to be. */
  since(nowMs: number): Recno | null {
    return this.#places.find(({ ms }) => ms <= nowMs && nowMs - ms <= RECENT_MS)?.recno ?? null;
  }
}
