import type { Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import { Footprint, type ChangeSet, type ContentMove } from "./change-set.ts";
import type { Replica } from "./replica.ts";

/** The objects and names in which two authoritative states may differ. */
export interface Differing {
  readonly objects: Iterable<Oid>;
  readonly names: Iterable<{ readonly parent: Oid; readonly name: Name }>;
}

/**
 * What has to change in the cache when a replica takes over from another: after a snapshot, where no
 * records say it.
 *
 * @param differing all keys in which the two authoritative states differ; more do no harm
 */
export function changesBetween(
  before: Replica,
  after: Replica,
  differing: Differing,
  moves: readonly ContentMove[],
): ChangeSet {
  const footprint = new Footprint(before.visible);
  before.touch(footprint);
  after.touch(footprint);
  for (const oid of differing.objects) footprint.touchObject(oid);
  for (const { parent, name } of differing.names) footprint.touchName(parent, name);
  return footprint.compare(after.visible, moves);
}
