import type { Oid } from "../kml/identity.ts";
import type { Base, ClientOperation, OriginId, RenameOperation } from "../kml/operation.ts";
import { Few } from "../replay/few.ts";
import { originKey } from "../replay/memory-state.ts";
import type { StateReader } from "../replay/state.ts";

/**
 * Own contents that stand where a later removal finds them although its author had not seen them there:
 * saves by somebody else, or moves that turned out otherwise, have put two files together since. The
 * removal did not mean them, and they would be nowhere: nobody seals what shows nowhere (design D9).
 */
export class StrayWork {
  /** Versions of own contents that no later own content of the object was made from. */
  readonly #versionsByOid = new Map<Oid, Few<string>>();
  /** What each own content that is not sealed was made from: a removal names what is below those. */
  readonly #openBases = new Map<string, string>();

  /** Those that decided about a removal, where they were still open. */
  readonly #consulted = new Set<string>();

  /**
   * @param operation an own record, resolved, after it was shown
   * @param at the version that it establishes
   */
  note(operation: ClientOperation, at: OriginId, visible: StateReader): void {
    switch (operation.opcode) {
      case "CLOSE":
        this.#replace(operation.oid, operation.contentBase, [originKey(at)]);
        if (operation.sha256 === null)
          this.#openBases.set(originKey(at), keyOf(operation.contentBase));
        return;
      case "UNLINK":
        if (visible.object(operation.oid) === undefined) this.#versionsByOid.delete(operation.oid);
        return;
      case "RENAME":
        this.#noteMove(operation, at, visible);
        return;
      default:
    }
  }

  /** The operation, as far as it leaves alone what its author did not mean: the server will refuse the rest. */
  spare(operation: ClientOperation): ClientOperation {
    switch (operation.opcode) {
      case "UNLINK":
        return this.#isMeant(operation) ? operation : { ...operation, isLastName: false };
      case "RENAME": {
        const { victim, keepsOid } = operation;
        if (victim === null || keepsOid || this.#isMeant(victim)) return operation;
        return { ...operation, victim: null };
      }
      default:
        return operation;
    }
  }

  /**
   * An own content is sealed now: nothing is below it any more.
   *
   * @returns whether a removal is shown as it is because it was open
   */
  noteSealed(origin: OriginId): boolean {
    const version = originKey(origin);
    return this.#openBases.delete(version) && this.#consulted.delete(version);
  }

  /** The record of this version is shown anew, or not any more. */
  forgetVersion(origin: OriginId): void {
    this.#openBases.delete(originKey(origin));
  }

  /** Nothing waits any more. */
  clear(): void {
    this.#versionsByOid.clear();
    this.#openBases.clear();
    this.#consulted.clear();
  }

  /** All records that wrote to the object are shown anew. */
  forgetObject(oid: Oid): void {
    this.#versionsByOid.delete(oid);
  }

  #noteMove(
    { oid, contentBase, victim, keepsOid }: RenameOperation,
    at: OriginId,
    visible: StateReader,
  ): void {
    if (victim === null) return;
    // Whatever became of the move: its author has replaced that content.
    this.#replace(victim.oid, victim.contentBase, []);
    if (visible.object(victim.oid) === undefined) this.#versionsByOid.delete(victim.oid);
    if (!keepsOid) return;
    if (visible.object(oid) !== undefined) {
      // It has become a move, and who builds on it names it, or the content that it has moved.
      this.#replace(oid, contentBase, [originKey(at)]);
      this.#openBases.set(originKey(at), keyOf(contentBase));
      return;
    }
    const moved = this.#versionsByOid.get(oid) ?? new Few<string>();
    this.#versionsByOid.delete(oid);
    moved.delete(keyOf(contentBase));
    this.#replace(victim.oid, contentBase, [...moved, originKey(at)]);
  }

  #replace(oid: Oid, base: Base, made: readonly string[]): void {
    const versions = this.#versionsByOid.get(oid) ?? new Few<string>();
    versions.delete(keyOf(base));
    for (const version of made) versions.add(version);
    this.#versionsByOid.set(oid, versions);
  }

  /** Tells whether who removed an object, with the content that it had then, saw all that is in it. */
  #isMeant({ oid, contentBase }: { readonly oid: Oid; readonly contentBase: Base }): boolean {
    const seen = keyOf(contentBase);
    const isSeen = (version: string | undefined): boolean => {
      if (version === seen) return true;
      if (version === undefined) return false;
      this.#consulted.add(version);
      return isSeen(this.#openBases.get(version));
    };
    return [...(this.#versionsByOid.get(oid) ?? [])].every(isSeen);
  }
}

function keyOf(base: Base): string {
  return typeof base === "number" ? String(base) : originKey(base);
}
