import type { Oid, Recno } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import type { PendingRecord } from "../sync/pending-record.ts";
import { basesOf } from "./dependencies.ts";

/**
 * The CLOSEs in a run of records that the next CLOSE of the same object makes superfluous. One is needed
 * where anything else builds on its content: that would build on the next one instead, and two edits of
 * one content would follow each other.
 */
export class FollowedCloses {
  readonly #followed = new Map<Recno, Recno>();
  readonly #openClose = new Map<Oid, PendingRecord>();
  /** The object of each of them: ten thousand wait while an archive is unpacked. */
  readonly #objects = new Map<Recno, Oid>();

  /** Takes in the next record. */
  note(record: PendingRecord): void {
    const { operation, recno } = record;
    if (operation.opcode === "CLOSE") {
      const previous = this.#openClose.get(operation.oid);
      if (previous !== undefined && buildsOn(operation, previous))
        this.#followed.set(previous.recno, recno);
      this.#end(operation.oid);
      this.#openClose.set(operation.oid, record);
      this.#objects.set(recno, operation.oid);
      return;
    }
    // What else is done to an object stays behind the content that was there: where somebody has removed
    // the object meanwhile, that content brings it back, and a LINK before it would come to nothing.
    if ("oid" in operation) this.#end(operation.oid);
    if (operation.opcode === "RENAME") this.#end(operation.victim?.oid);
    for (const base of basesOf(operation))
      if (typeof base !== "number") this.#end(this.#objects.get(base.recno));
  }

  /** A record builds on what it says; to be called for all of them, when all were taken in, and for those not sent yet. */
  noteBases({ operation, recno }: PendingRecord): void {
    for (const base of basesOf(operation)) {
      if (typeof base !== "number" && this.#followed.get(base.recno) !== recno)
        this.#followed.delete(base.recno);
    }
  }

  /** The CLOSE that makes this one superfluous. */
  followerOf(recno: Recno): Recno | undefined {
    return this.#followed.get(recno);
  }

  #end(oid: Oid | undefined): void {
    const close = oid === undefined ? undefined : this.#openClose.get(oid);
    if (close === undefined) return;
    this.#openClose.delete(oid!);
    this.#objects.delete(close.recno);
  }
}

function buildsOn(operation: ClientOperation, { recno }: PendingRecord): boolean {
  return basesOf(operation).some((base) => typeof base !== "number" && base.recno === recno);
}
