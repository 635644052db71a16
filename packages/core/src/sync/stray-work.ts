import type { Oid } from "../kml/identity.ts";
import type { Base, ClientOperation, OriginId } from "../kml/operation.ts";
import { originKey } from "../replay/memory-state.ts";

/**
 * Own contents that are shown under another object than the one that was written: somebody else's atomic
 * save has put the two together since. A removal of that object did not mean them, unless its author saw
 * them there, and they would be nowhere: nobody seals what shows nowhere (design D9).
 */
export class StrayWork {
  readonly #versionsByOid = new Map<Oid, Set<string>>();

  /**
   * @param operation an own record as it was made
   * @param resolved the same, with the ids and bases that it has now
   * @param at the version that it establishes
   */
  note(operation: ClientOperation, resolved: ClientOperation, at: OriginId): void {
    if (operation.opcode !== "CLOSE" || resolved.opcode !== "CLOSE") return;
    const versions = this.#versionsByOid.get(resolved.oid) ?? new Set<string>();
    versions.delete(keyOf(resolved.contentBase));
    if (operation.oid !== resolved.oid) versions.add(originKey(at));
    this.#versionsByOid.set(resolved.oid, versions);
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

  /** Tells whether who removed an object, with the content that it had then, saw all that is in it. */
  #isMeant({ oid, contentBase }: { readonly oid: Oid; readonly contentBase: Base }): boolean {
    const seen = keyOf(contentBase);
    return [...(this.#versionsByOid.get(oid) ?? [])].every((version) => version === seen);
  }
}

function keyOf(base: Base): string {
  return typeof base === "number" ? String(base) : originKey(base);
}
