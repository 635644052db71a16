import { conflictName, ROOT_OID, textToBytes, type Name } from "@izo/core";
import { fstatat, renameat2 } from "@izo/sys";

import { isSameContent, noteOfStat } from "../../db/disk-notes.ts";
import type { Outgoing } from "../apply/step-context.ts";
import type { Fileset } from "../fileset.ts";
import type { LookRequest } from "../tree/list-directory.ts";
import { heldFd, isAbsence, openRoot, openTreeDirectory } from "../tree/tree-directory.ts";
import { isWritable, retainOutgoing } from "./retain-outgoing.ts";

/**
 * Watches inodes that were replaced while somebody could still write to them (design S3). When the
 * writer is gone, what it wrote becomes a copy beside the name; what it did not change is old content.
 */
export class OutgoingWatch {
  readonly #fileset: Fileset;
  #held: Outgoing[] = [];
  #toCopy: Outgoing[] = [];

  constructor(fileset: Fileset) {
    this.#fileset = fileset;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  take(outgoing: readonly Outgoing[]): void {
    for (const one of outgoing) {
      const fate = retainOutgoing(this.#fileset, one);
      if (fate === "watch") this.#held.push(one);
      if (fate === "copy") this.#toCopy.push(one);
    }
  }

  /** Inodes whose content has to be copied; each is given once. */
  takeToCopy(): Outgoing[] {
    return this.#toCopy.splice(0);
  }

  /** Looks at all that is held. Returns the names of the copies that were made, to be logged. */
  release(): LookRequest[] {
    const { applyFd } = this.#fileset;
    const copies: LookRequest[] = [];
    const held = this.#held;
    this.#held = [];
    for (const one of held) {
      if (isWritable(applyFd, one.item)) {
        this.#held.push(one);
        continue;
      }
      const stat = fstatat(applyFd, one.item, { noFollow: true });
      if (one.isUnlogged || !isSameContent(noteOfStat(stat), one.note)) {
        copies.push(this.#makeCopy(one, stat.mtimeNs));
      } else {
        this.take([one]);
      }
    }
    return copies;
  }

  #makeCopy({ item, place }: Outgoing, mtimeNs: bigint): LookRequest {
    const { ledger, applyFd } = this.#fileset;
    const parent = ledger.state.object(place.parent) === undefined ? null : place.parent;
    using directory = heldFd(this.#openPlace(parent));
    const isTaken = (name: Name) =>
      fstatat(directory.fd, textToBytes(name), { noFollow: true, throwIfNoEntry: false }) !==
      undefined;
    const name = conflictName(place.name, mtimeNs, "server", isTaken);
    renameat2(applyFd, item, directory.fd, textToBytes(name), { noReplace: true });
    return { directory: parent ?? ROOT_OID, names: new Set([name]), isDeep: false };
  }

  /** The directory, or the root where it is gone. */
  #openPlace(parent: Outgoing["place"]["parent"] | null): number {
    const { rootFd, ledger, dir } = this.#fileset;
    try {
      if (parent !== null) return openTreeDirectory(rootFd, ledger.state, parent);
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
    return openRoot(dir);
  }
}
