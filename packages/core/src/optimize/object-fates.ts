import type { Oid, Recno } from "../kml/identity.ts";
import type { Base } from "../kml/operation.ts";
import type { PendingRecord } from "../sync/pending-record.ts";

/**
 * Which objects a run of records makes and removes again, with nothing left of them elsewhere: no second
 * name, no save over another object, and no content that the removal had not seen.
 */
export class ObjectFates {
  readonly #fates = new Map<Oid, "made" | "gone">();
  readonly #kept = new Set<Oid>();
  /** The record that gave each object the content that it has now. */
  readonly #contents = new Map<Oid, Recno>();

  /** Takes in the next record. */
  note({ operation, recno }: PendingRecord): void {
    const fates = this.#fates;
    const kept = this.#kept;
    // It came back: somebody else kept it, and its author went on with it.
    if ("oid" in operation && fates.get(operation.oid) === "gone") kept.add(operation.oid);
    switch (operation.opcode) {
      case "CREATE":
      case "SYMLINK":
      case "MKNOD":
        if (fates.has(operation.oid)) kept.add(operation.oid);
        fates.set(operation.oid, "made");
        this.#contents.set(operation.oid, recno);
        break;
      case "CLOSE":
        this.#buildOn(operation.oid, operation.contentBase);
        this.#contents.set(operation.oid, recno);
        break;
      case "UNLINK":
        this.#buildOn(operation.oid, operation.contentBase);
        // Somebody else gave it another name, after it was brought back to a restored server.
        if (!operation.isLastName) kept.add(operation.oid);
        if (fates.get(operation.oid) === "made") fates.set(operation.oid, "gone");
        break;
      case "LINK":
        kept.add(operation.oid);
        break;
      case "RENAME":
        if (operation.victim !== null) kept.add(operation.oid).add(operation.victim.oid);
        break;
      default:
    }
  }

  /** A record that is not sent yet has to do with this object. */
  keep(oid: Oid): void {
    this.#kept.add(oid);
  }

  /** Tells whether nothing of it is left. */
  hasComeAndGone(oid: Oid): boolean {
    return this.#fates.get(oid) === "gone" && !this.#kept.has(oid);
  }

  /** What is brought back to a restored server is not always what its author's own records build on. */
  #buildOn(oid: Oid, base: Base): void {
    const content = this.#contents.get(oid);
    if (typeof base === "number" || base.recno !== content) this.#kept.add(oid);
  }
}
