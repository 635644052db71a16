import type { Oid, StateReader } from "@izo/core";

import type { Change, ChangeGate } from "../filter/change-gate.ts";

/** Says what may be changed under the permits that are held. */
export interface HeldPermits {
  /** Tells whether entries of all these directories, and what they hold, may be changed. */
  mayChangeIn(directories: readonly Oid[]): boolean;
  /** The same for what was opened when it could be changed. */
  mayFinishIn(directories: readonly Oid[]): boolean;
}

/**
 * Lets through what the held permits allow. A file with several names needs a permit for the directories
 * of all of them. What was written when it was allowed is logged however late its descriptor is flushed:
 * only what is new is refused.
 */
export function permitGate(permits: HeldPermits, visible: () => StateReader): ChangeGate {
  /** Where the change is one; nowhere for a removed file that is open still. */
  const directoriesOf = ({ directories, objects }: Change): readonly Oid[] => {
    if (directories.length > 0) return directories;
    const state = visible();
    return objects.flatMap((oid) =>
      state.object(oid)?.kind === "directory" ? oid : state.links(oid).map(({ parent }) => parent),
    );
  };
  return {
    isOpen: false,
    seesWrites: true,
    mayChange: (change) => permits.mayChangeIn(directoriesOf(change)),
    mayFinish: (change) => permits.mayFinishIn(directoriesOf(change)),
    describe: () => "this mount does not hold the permit",
  };
}
