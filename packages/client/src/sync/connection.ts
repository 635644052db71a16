import {
  CONNECTION_START,
  type ConnectionEvent,
  type ConnectionState,
  mayPush,
  nextState,
} from "@izo/core";

export interface ConnectionOptions {
  readonly nowMs: () => number;
  /** Offline by the user's wish from the start. */
  readonly isForcedOffline: boolean;
  /** Aborted when the mount goes away. */
  readonly stop: AbortSignal;
  /** After each event, with the state that it met. */
  readonly onEvent: (event: ConnectionEvent, before: ConnectionState) => void;
}

/** The connection as its state machine in `@izo/core` has it, and the two signals that end with it. */
export class Connection {
  readonly #options: ConnectionOptions;
  #state: ConnectionState = CONNECTION_START;
  #sinceMs: number;
  #current = new AbortController();
  #lost = new AbortController();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#sinceMs = options.nowMs();
    if (options.isForcedOffline) this.#state = nextState(this.#state, "forced-offline");
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Since when it is in this state, in milliseconds since 1970. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  get mayPush(): boolean {
    return mayPush(this.#state);
  }

  /** Ends the requests that belong to the connection as it is. */
  get signal(): AbortSignal {
    return this.#current.signal;
  }

  /**
   * The server did not answer twice in a row, or shall not be asked: who needs it now is better told so
   * than kept waiting.
   */
  get isServerLost(): boolean {
    const { name, failures, isForced } = this.#state;
    return name === "offline" && (failures > 1 || isForced);
  }

  /** Aborted as soon as {@link isServerLost}; another one when the server is back. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  happen(event: ConnectionEvent): void {
    const before = this.#state;
    this.#state = nextState(before, event);
    if (this.#state.name !== before.name) this.#sinceMs = this.#options.nowMs();
    const isCut = event === "unreachable" || event === "forced-offline";
    if (isCut || (isFlowing(before) && !isFlowing(this.#state))) this.#renew();
    this.#noteLoss();
    this.#options.onEvent(event, before);
  }

  /** The mount goes away. */
  end(reason: unknown): void {
    this.#current.abort(reason);
  }

  #renew(): void {
    const { stop } = this.#options;
    this.#current.abort(new Error(`the connection is ${this.#state.name}`));
    this.#current = new AbortController();
    if (stop.aborted) this.#current.abort(stop.reason);
  }

  #noteLoss(): void {
    const isNoted = this.#lost.signal.aborted;
    if (this.isServerLost && !isNoted) this.#lost.abort(new Error("the server is lost"));
    else if (!this.isServerLost && isNoted) this.#lost = new AbortController();
  }
}

function isFlowing({ name }: ConnectionState): boolean {
  return name === "polling" || name === "pushing";
}
