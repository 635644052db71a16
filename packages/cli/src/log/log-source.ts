import type { KmlRecord, Recno } from "@izo/core";

export interface LogExtent {
  /** One beyond the head while there is none. */
  readonly oldest: Recno;
  readonly head: Recno;
}

/** A log that `izo log` reads: of a server, or on disk. */
export interface LogSource extends AsyncDisposable {
  /** Its name for people. */
  readonly label: string;
  /** The first and the last record that are there now. */
  extent(signal: AbortSignal): Promise<LogExtent>;
  /**
   * Records behind `after`, in the order of the log. Ends at the head, or with `follows` when the
   * signal aborts.
   *
   * @throws with the code `log-truncated` or `recno-not-in-log` where the record behind it was cut off
   */
  records(
    after: Recno,
    options: { readonly follows: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<KmlRecord>;
}
