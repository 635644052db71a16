import type { PeerId, Recno } from "../kml/identity.ts";
import type { Base } from "../kml/operation.ts";
import { RecnoMap } from "./recno-map.ts";

/** What stands in place of an own record; a number in the map is three times another, and one of these. */
const SENT = 0;
const DROPPED_ONTO_OWN = 1;
const DROPPED_ONTO_SERVER = 2;
const KINDS = 3;

/** No log is as long; what a server says may be larger all the same. */
const LARGEST = Math.floor(Number.MAX_SAFE_INTEGER / KINDS) - 1;

/**
 * What the own records of a client are named by in bases of later ones, once they were sent, or dropped before
 * that. Marks on disk may name any of them, so it is kept as long as the client runs: 8 bytes each.
 */
export class OwnBases {
  readonly #peer: PeerId;
  readonly #known = new RecnoMap();
  /** Dropped onto what is no such number, as hardly any is: a record of a former peer id. */
  readonly #elsewhere = new Map<Recno, Base>();

  constructor(peer: PeerId) {
    this.#peer = peer;
  }

  /** A record was sent under this number: that is what the server knows. */
  noteSent(recno: Recno, originRecno: Recno): void {
    this.#note(recno, SENT, originRecno);
  }

  /** A CLOSE will never be sent: what builds on it builds on what it built on. */
  noteDropped(recno: Recno, contentBase: Base): void {
    // Of a file that was written a thousand times, each would be looked up by way of all before it.
    const below = this.follow(contentBase);
    if (typeof below === "number") {
      if (below <= LARGEST) this.#note(recno, DROPPED_ONTO_SERVER, below);
      else this.#elsewhere.set(recno, below);
    } else if (below.peer === this.#peer) this.#note(recno, DROPPED_ONTO_OWN, below.recno);
    else this.#elsewhere.set(recno, below);
  }

  isDropped(recno: Recno): boolean {
    const known = this.#known.get(recno);
    return known === undefined ? this.#elsewhere.has(recno) : known % KINDS !== SENT;
  }

  /** A base as the server will know it. */
  follow(base: Base): Base {
    let at = base;
    while (typeof at !== "number" && at.peer === this.#peer) {
      const known = this.#known.get(at.recno);
      if (known === undefined) return this.#elsewhere.get(at.recno) ?? at;
      const recno = Math.floor(known / KINDS) as Recno;
      const kind = known % KINDS;
      if (kind === DROPPED_ONTO_SERVER) return recno;
      at = { peer: this.#peer, recno };
      if (kind === SENT) return at;
    }
    return at;
  }

  #note(recno: Recno, kind: number, value: Recno): void {
    this.#known.set(recno, (value * KINDS + kind) as Recno);
  }
}
