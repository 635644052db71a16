import { ChangeScope, type Oid, type StateReader } from "@izo/core";

import type { ChangeGate } from "../filter/change-gate.ts";

/** What a mount may change; a `ScopeNote` is one. */
export interface KnownScope {
  /** Changes are allowed below this path; `/` for all, null for none. */
  readonly changesBelow: string | null;
}

/**
 * Lets through what the server will take from this mount, so that a program learns at once of what would
 * only wait. Files that are open for writing when less is allowed can be written to the end.
 */
export function scopeGate(scope: KnownScope, visible: () => StateReader): ChangeGate {
  return {
    get isOpen() {
      return scope.changesBelow === "/";
    },
    seesWrites: false,
    mayChange({ directories, objects }) {
      const { changesBelow } = scope;
      if (changesBelow === null) return false;
      const state = visible();
      const held = new ChangeScope(state, changesBelow);
      return (
        directories.every((oid) => held.holdsDirectory(oid)) &&
        // What has no name any more is in nobody's tree, and nothing of it is sent.
        objects.every((oid) => isNameless(state, oid) || held.holdsObject(oid))
      );
    },
    mayFinish: () => true,
    describe: () =>
      scope.changesBelow === null
        ? "the server takes no changes of this mount"
        : `the token of this mount allows changes below ${JSON.stringify(scope.changesBelow)} only`,
  };
}

function isNameless(state: StateReader, oid: Oid): boolean {
  return state.links(oid).length === 0 && state.object(oid)?.kind !== "directory";
}
