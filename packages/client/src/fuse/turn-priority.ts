/**
 * Lets this process run before other sessions' programs while programs ask the mount. On a busy machine they wait for a turn
 * of it longer than for anything that it does, and its nice counts within its own session only, where the kernel gives time
 * to sessions first (sched(7), autogroup), as distributions have it.
 *
 * Only while they ask: what this process does by itself, to hash and to fetch, is to leave others their time. Once raised, it
 * is taken back by a look that finds nothing asked since the last one; while nobody asks there is no timer.
 */
import { getPriority } from "node:os";

import { leadsSession, SessionPriority } from "@izo/sys";

/** So many turns within so long, of one request or more each, and a program is taken to go on asking. */
const BEGIN_TURNS = 4;
const BEGIN_MS = 40;

export const TURN_LOOK_MS = 50;

/** What of a session it needs; the tests have another one. */
type OwnSession = Pick<SessionPriority, "set" | keyof Disposable>;

export class TurnPriority implements Disposable {
  readonly #nice: number;
  readonly #nowMs: () => number;
  #session: OwnSession | undefined;
  #turns = 0;
  #sinceMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param session undefined where nothing is to be done
   * @param nice of the session while programs ask
   * @param nowMs a clock that never goes back
   */
  constructor(session: OwnSession | undefined, nice: number, nowMs: () => number) {
    this.#session = session;
    this.#nice = nice;
    this.#nowMs = nowMs;
  }

  /** Something was answered. */
  noteAnswered(): void {
    if (this.#session === undefined) return;
    this.#turns += 1;
    if (this.#timer !== undefined) return;
    const nowMs = this.#nowMs();
    if (nowMs > this.#sinceMs + BEGIN_MS) {
      this.#sinceMs = nowMs;
      this.#turns = 1;
    }
    if (this.#turns < BEGIN_TURNS) return;
    this.#timer = setInterval(() => this.#look(), TURN_LOOK_MS).unref();
    this.#set(this.#nice);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== undefined) this.#set(0);
    this.#end();
  }

  #look(): void {
    const isAsked = this.#turns > 0;
    this.#turns = 0;
    if (isAsked || !this.#set(0)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sinceMs = -Infinity;
  }

  /** @returns false where the kernel wants to be asked again a little later */
  #set(nice: number): boolean {
    try {
      this.#session?.set(nice);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
      this.#end();
      return true;
    }
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#session?.[Symbol.dispose]();
    this.#session = undefined;
  }
}

/**
 * For a process that has a priority above the ordinary one, and a session to itself: with that of a shell all that is run from
 * it would be raised. A priority that somebody has given the session stays.
 */
export function turnPriorityHere(): TurnPriority {
  const nice = getPriority();
  return new TurnPriority(nice < 0 ? ownSession() : undefined, nice, () => performance.now());
}

function ownSession(): SessionPriority | undefined {
  try {
    if (!leadsSession()) return undefined;
    using unused = new DisposableStack();
    const session = unused.use(new SessionPriority());
    if (session.nice !== 0) return undefined;
    unused.move();
    return session;
  } catch {
    return undefined;
  }
}
