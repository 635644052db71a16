/**
 * The connection of one client to its server, as a pure state machine (design C5). InterSync feeds it
 * what happened and does what the state says; `docs/sync-state-machine.md` explains each rule under its
 * id.
 *
 * Nothing durable depends on it: it always starts `offline`, and the position and the own log say
 * where to go on. The worst that a wrong state can do is to wait, or to ask once too often.
 */

/** What the client is about. */
export type ConnectionName =
  | "offline"
  | "bootstrapping"
  | "polling"
  | "pushing"
  | "expired"
  | "diverged"
  | "refused";

/** What happened. */
export type ConnectionEvent =
  /** The server answered, it serves this fileset, and there is no tree here yet. */
  | "connected-empty"
  /** The server answered, it serves this fileset, and there is a tree to go on from. */
  | "connected"
  /** A snapshot has taken the place of the tree. */
  | "tree-adopted"
  /** A poll was answered and replayed, and there is more behind it. */
  | "pulled"
  /** A poll was answered and replayed, up to the head of the server's log. */
  | "caught-up"
  | "push-began"
  /** The server holds what was sent, and nothing is left that could be sent now. */
  | "push-ended"
  /** No answer, a cut connection, or a server that says that it cannot answer now. */
  | "unreachable"
  /** The server's log was cut off behind the position. */
  | "log-truncated"
  /** The position is no place of the server's log: it was restored from a backup. */
  | "log-diverged"
  /** Somebody else uses this peer's id. */
  | "peer-diverged"
  /** The divergence was dealt with. */
  | "recovered"
  /** The server refuses this client: another protocol, an unknown fileset, an answer that makes no sense. */
  | "refused"
  /** Its user wants no connection. */
  | "forced-offline"
  /** Its user wants one again. */
  | "released";

export interface ConnectionState {
  readonly name: ConnectionName;
  /** Attempts that failed since the last one that got anywhere: the input of the backoff. */
  readonly failures: number;
  /** A push ended the last connection, and none has got through since: polls alone are no success. */
  readonly hasPushFailed: boolean;
  /**
   * The log was replayed up to its head since the connection was made. Only then may anything be
   * pushed: the traces of what an earlier connection pushed are known by then, and a resent record is
   * not taken for that of a cloned peer (design P2).
   */
  readonly isCaughtUp: boolean;
  /** What `diverged` is about. */
  readonly divergence: "log" | "peer" | null;
  /** Offline because its user says so: nobody is asked before the release. */
  readonly isForced: boolean;
}

export const START: ConnectionState = {
  name: "offline",
  failures: 0,
  hasPushFailed: false,
  isCaughtUp: false,
  divergence: null,
  isForced: false,
};

type Row = Readonly<Record<ConnectionEvent, ConnectionName>>;

/** What ends every state alike: the connection is lost, or one of both sides will have none of it. */
const ENDS = { unreachable: "offline", refused: "refused", "forced-offline": "offline" } as const;

/** Where no connection is up: all that comes late from the last one is ignored. */
function closed(name: "offline" | "refused"): Row {
  return {
    ...ENDS,
    "connected-empty": "bootstrapping",
    connected: "polling",
    "tree-adopted": name,
    pulled: name,
    "caught-up": name,
    "push-began": name,
    "push-ended": name,
    "log-truncated": name,
    "log-diverged": name,
    "peer-diverged": name,
    recovered: name,
    released: name,
  };
}

/** Where a snapshot is awaited: only that matters. */
function awaitingTree(name: "bootstrapping" | "expired"): Row {
  return {
    ...ENDS,
    "connected-empty": name,
    connected: name,
    "tree-adopted": "polling",
    pulled: name,
    "caught-up": name,
    "push-began": name,
    "push-ended": name,
    "log-truncated": name,
    "log-diverged": name,
    "peer-diverged": "diverged",
    recovered: name,
    released: name,
  };
}

/** Where records flow. */
function flowing(name: "polling" | "pushing"): Row {
  return {
    ...ENDS,
    "connected-empty": name,
    connected: name,
    "tree-adopted": name,
    pulled: name,
    "caught-up": name,
    "push-began": "pushing",
    "push-ended": "polling",
    "log-truncated": "expired",
    "log-diverged": "diverged",
    "peer-diverged": "diverged",
    recovered: name,
    released: name,
  };
}

/** Every state and every event: the compiler refuses a table with a hole. */
export const TRANSITIONS: Readonly<Record<ConnectionName, Row>> = {
  offline: closed("offline"),
  bootstrapping: awaitingTree("bootstrapping"),
  polling: flowing("polling"),
  pushing: flowing("pushing"),
  expired: awaitingTree("expired"),
  diverged: {
    ...ENDS,
    "connected-empty": "diverged",
    connected: "diverged",
    "tree-adopted": "diverged",
    pulled: "diverged",
    "caught-up": "diverged",
    "push-began": "diverged",
    "push-ended": "diverged",
    // A log that was cut off while its head was being pulled: the snapshot goes first, and what it
    // says of this peer brings the divergence back.
    "log-truncated": "expired",
    "log-diverged": "diverged",
    "peer-diverged": "diverged",
    recovered: "polling",
    released: "diverged",
  },
  refused: closed("refused"),
};

/** The state after an event. Total: every event has a meaning in every state. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  if (event === "forced-offline") return { ...START, isForced: true };
  if (state.isForced) return event === "released" ? START : state;
  const name = TRANSITIONS[state.name][event];
  const isOpen = name === "polling" || name === "pushing";
  return {
    name,
    failures: failuresAfter(state, event),
    hasPushFailed: isFailure(event)
      ? state.hasPushFailed || state.name === "pushing"
      : state.hasPushFailed && event !== "push-ended",
    isCaughtUp: isOpen && (event === "caught-up" || (state.isCaughtUp && event !== "recovered")),
    divergence: name === "diverged" ? divergenceAfter(state, event) : null,
    isForced: false,
  };
}

/** Tells whether records may be sent now. */
export function mayPush(state: ConnectionState): boolean {
  return state.isCaughtUp && (state.name === "polling" || state.name === "pushing");
}

function isFailure(event: ConnectionEvent): boolean {
  return event === "unreachable" || event === "refused";
}

/**
 * An answer to the profile alone is no success: what fails behind it must not be retried at once. Where
 * pushes fail, an answered poll is none either.
 */
function failuresAfter(state: ConnectionState, event: ConnectionEvent): number {
  if (isFailure(event)) return state.failures + 1;
  if (event === "push-ended") return 0;
  const isPulled = event === "pulled" || event === "caught-up" || event === "tree-adopted";
  return isPulled && !state.hasPushFailed ? 0 : state.failures;
}

/** A lost log comes first: a new id is taken with it. */
function divergenceAfter(state: ConnectionState, event: ConnectionEvent): "log" | "peer" | null {
  if (event === "log-diverged") return "log";
  if (event === "peer-diverged") return state.divergence ?? "peer";
  return state.divergence;
}
