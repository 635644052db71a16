import type { Oid, Recno } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import { resolveOid } from "../reintegrate/resolve.ts";
import type { StateReader } from "../replay/state.ts";
import type { ContentMove } from "./change-set.ts";

/** Whose content an object shows: that of an own record, by its number, or of an authoritative object. */
export type ContentSource = Recno | Oid;

/** Whose contents some objects showed; undefined for what they have in the authoritative state. */
export type ContentsBefore = Iterable<readonly [Oid, ContentSource | undefined]>;

/**
 * Which own contents a visible tree shows, and where. An object that is not named here shows the content
 * that it has in the authoritative state.
 */
export class ShownContents {
  readonly #sources = new Map<Oid, ContentSource>();
  /** The other way round: one content is shown under one object at a time. */
  readonly #homes = new Map<ContentSource, Oid>();

  /**
   * @param operation an own record, resolved, after it was shown
   * @param recno its number in the own log; of several that are sent as one, the last
   */
  note(operation: ClientOperation, recno: Recno, visible: StateReader): void {
    if (operation.opcode === "CREATE" || operation.opcode === "CLOSE") {
      this.#put(operation.oid, recno);
      return;
    }
    if (operation.opcode !== "RENAME" || !operation.keepsOid || operation.victim === null) return;
    // The temporary object has ended: what it showed is shown under the one that it was saved to.
    if (visible.object(operation.oid) !== undefined) return;
    const source = this.#sources.get(operation.oid) ?? operation.oid;
    this.forget(operation.oid);
    this.#put(operation.victim.oid, source);
  }

  /** The object that shows this content; undefined where none does. */
  homeOf(source: ContentSource): Oid | undefined {
    return this.#homes.get(source);
  }

  sourceOf(oid: Oid): ContentSource | undefined {
    return this.#sources.get(oid);
  }

  /** The object shows what it has in the authoritative state. */
  forget(oid: Oid): void {
    const source = this.#sources.get(oid);
    this.#sources.delete(oid);
    if (source !== undefined && this.#homes.get(source) === oid) this.#homes.delete(source);
  }

  [Symbol.iterator](): Iterator<[Oid, ContentSource]> {
    return this.#sources.entries();
  }

  #put(oid: Oid, source: ContentSource): void {
    this.forget(oid);
    this.#sources.set(oid, source);
    this.#homes.set(source, oid);
  }
}

/**
 * Where local contents belong after a pull: under the object that shows them now. An own content can
 * come to another object although its own record still waits, as when an earlier save to the same file
 * went to a copy and the later ones go on there.
 *
 * @param outcomes of own records that the pull acknowledged, by their numbers in the own log
 */
export function contentMoves(
  before: ContentsBefore,
  after: ShownContents,
  visible: StateReader,
  outcomes: ReadonlyMap<Recno, Outcome>,
): ContentMove[] {
  const homeOf = (source: ContentSource): Oid | undefined => {
    const outcome = typeof source === "number" ? outcomes.get(source) : undefined;
    const owner = typeof source === "number" ? outcome?.oid : source;
    if (owner === undefined) return after.homeOf(source);
    const resolved = resolveOid(owner, visible);
    return (
      after.homeOf(resolved) ?? (visible.object(resolved) === undefined ? undefined : resolved)
    );
  };
  const moves: ContentMove[] = [];
  for (const [from, source] of before) {
    const to = source === undefined ? undefined : homeOf(source);
    if (to !== undefined && to !== from) moves.push({ from, to });
  }
  return moves;
}
