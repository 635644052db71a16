import { type Oid, ROOT_OID } from "../kml/identity.ts";
import type { SnapshotRow } from "../wire/snapshot-row.ts";
import { WireFormatError } from "../wire/wire-format-error.ts";

/**
 * Finds out whether the rows of a snapshot are those of a tree: names stand in directories, and each
 * directory has one place, from which a way leads to the root. What no tree is could lead a client out of
 * its cache, or round in a ring.
 *
 * It remembers directories only; objects come before entries.
 */
export class SnapshotTreeCheck {
  /** The parent of each directory; null while it has no place. */
  readonly #parents = new Map<Oid, Oid | null>([[ROOT_OID, ROOT_OID]]);

  /** @throws WireFormatError */
  take(row: SnapshotRow): void {
    if (row.kind === "object" && row.object.kind === "directory" && row.object.oid !== ROOT_OID) {
      this.#parents.set(row.object.oid, null);
    }
    if (row.kind === "object" && row.object.kind !== "directory") this.#refuseOther(row.object.oid);
    if (row.kind !== "entry") return;
    const { oid, parent } = row.entry;
    if (!this.#parents.has(parent)) throw refusal(`${parent} is no directory and has entries`);
    const place = this.#parents.get(oid);
    if (place === undefined) return;
    if (place !== null) throw refusal(`the directory ${oid} has two places`);
    this.#parents.set(oid, parent);
  }

  /** All rows have come. @throws WireFormatError */
  end(): void {
    const reached = new Set<Oid>([ROOT_OID]);
    for (const directory of this.#parents.keys()) {
      const way: Oid[] = [];
      for (let oid: Oid | null | undefined = directory; !reached.has(oid);) {
        way.push(oid);
        oid = this.#parents.get(oid);
        if (oid === null || oid === undefined)
          throw refusal(`no way leads to the directory ${directory}`);
        if (way.length > this.#parents.size)
          throw refusal(`the directory ${directory} is in a ring`);
      }
      for (const oid of way) reached.add(oid);
    }
  }

  #refuseOther(oid: Oid): void {
    if (this.#parents.has(oid)) throw refusal(`${oid} is a directory, and something else`);
  }
}

function refusal(reason: string): WireFormatError {
  return new WireFormatError("snapshot", reason);
}
