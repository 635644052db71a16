import type { KmlRecord, Recno } from "@izo/core";

/** A log that `izo log` reads: of a server, or on disk. */
export interface LogSource extends AsyncDisposable {
  /** Its name for people. */
  readonly label: string;
  /** The last record that is there now. */
  head(signal: AbortSignal): Promise<Recno>;
  /**
   * Records behind `after`, in the order of the log. Ends at the head, or with `follows` when the
   * signal aborts.
   */
  records(
    after: Recno,
    options: { readonly follows: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<KmlRecord>;
}
