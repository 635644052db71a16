import type { Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId } from "../kml/operation.ts";
import { originKey } from "../replay/memory-state.ts";
import { entryKey } from "../replay/tree-object.ts";

/** What replay has changed in the authoritative state, so that what is shown over it can follow. */
export class BaseChanges {
  /** With their names and tombstones. */
  readonly objects = new Set<Oid>();
  /** By their keys. */
  readonly entries = new Set<string>();
  /** Directories with other entries than before. */
  readonly parents = new Set<Oid>();
  readonly aliases = new Set<Oid>();
  /** Records whose outcome is known now, by the keys of their origins. */
  readonly origins = new Set<string>();

  noteEntry(parent: Oid, name: Name): void {
    this.entries.add(entryKey(parent, name));
    this.parents.add(parent);
  }

  noteOutcome(origin: OriginId): void {
    this.origins.add(originKey(origin));
  }
}
