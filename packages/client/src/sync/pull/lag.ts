import type { ConnectionEvent, ConnectionState, Position, Recno } from "@izo/core";

export interface LagOptions {
  readonly nowMs: () => number;
  /** The last record that was replayed. */
  readonly replayed: () => Position;
  readonly connection: () => ConnectionState;
}

/** How far what was replayed here is behind the server's log. */
export class Lag {
  readonly #options: LagOptions;
  #headRecno: Recno;
  /** When all that the server had was last replayed here; null for not since the start. */
  #caughtUpMs: number | null = null;

  constructor(options: LagOptions) {
    this.#options = options;
    this.#headRecno = options.replayed().recno;
  }

  /** The last record that the server is known to have. */
  get headRecno(): Recno {
    return this.#headRecno;
  }

  /** Milliseconds since all that the server had was replayed; 0 while that is so, null for never. */
  get ms(): number | null {
    if (this.#isCurrentIn(this.#options.connection())) return 0;
    return this.#caughtUpMs === null ? null : this.#options.nowMs() - this.#caughtUpMs;
  }

  noteHead(recno: Recno): void {
    this.#headRecno = recno;
  }

  noteEvent(event: ConnectionEvent, before: ConnectionState): void {
    if (event !== "caught-up" && !this.#isCurrentIn(before)) return;
    this.#caughtUpMs = this.#options.nowMs();
  }

  /** While a poll waits, the server says by its silence that there is nothing more. */
  #isCurrentIn({ isCaughtUp }: ConnectionState): boolean {
    return isCaughtUp && this.#options.replayed().recno >= this.#headRecno;
  }
}
