import { readdirSync } from "node:fs";

import {
  type Actor,
  bytesToText,
  type ClientOperation,
  type Name,
  type NameChange,
  NO_RECNO,
  type ObjectChange,
  type Oid,
  type Recno,
  resolveOid,
  type TreeObject,
} from "@izo/core";
import type { Stat } from "@izo/sys";

import type { ChangeApplier } from "../apply-changes.ts";
import type { ChangeLog } from "../change-log.ts";
import type { OwnVersions } from "../content/own-versions.ts";
import type { InodeForm } from "../inode/inode-form.ts";
import type { ObjectMark } from "../inode/object-mark.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import type { CacheTree } from "../tree/cache-tree.ts";

export interface RecoveryOptions {
  readonly tree: CacheTree;
  readonly versions: OwnVersions;
  readonly applier: ChangeApplier;
  readonly log: ChangeLog;
  readonly newOid: () => Oid;
  /**
   * The machine has started anew since: contents that were fetched may be zeros or cut off under a mark
   * that says that they are here, and are hashed again (docs/decisions/0007).
   */
  readonly isPowerLost: boolean;
}

/** Author of the records that recovery makes: the process that did it cannot be known any more. */
const RECOVERY: Omit<Actor, "uid" | "gid"> = { groups: [], command: "izo recovery" };

/** What recovery has found so far, and what every part of it asks and does. */
export class Findings {
  readonly options: RecoveryOptions;
  /** The last own record that the crash has left. */
  readonly ownHead: Recno;
  /** What replay has still to do. */
  readonly names: NameChange[] = [];
  readonly objects: ObjectChange[] = [];
  /** Paths of contents and names that became records. */
  readonly logged: string[] = [];
  /** Paths whose last content a power cut took. */
  readonly dropped: string[] = [];
  /** Inodes that hold the newest content of an object that has another one under its names. */
  readonly reinstated: CacheNode[] = [];

  constructor(options: RecoveryOptions) {
    this.options = options;
    this.ownHead = options.log.ownHead;
  }

  get form(): InodeForm {
    return this.options.tree.form;
  }

  record(operation: ClientOperation, { uid, gid }: Stat): Recno {
    const recno = this.options.log.record(operation, { uid, gid, ...RECOVERY });
    if ("path" in operation) this.logged.push(operation.path);
    return recno;
  }

  changeName(parent: Oid, name: Name): void {
    this.names.push({ parent, name, before: undefined, after: undefined });
  }

  changeObject(oid: Oid): void {
    this.objects.push({ oid, before: undefined, after: this.options.tree.visible.object(oid) });
  }

  /**
   * The mark of an inode. Where it builds on a record that was lost with the end of the log, its number
   * goes to another record soon: the mark then names the version that is known, before that happens.
   */
  readMark(path: string): ObjectMark | undefined {
    const { tree, log } = this.options;
    const mark = this.form.readMark(path);
    if (mark?.holding.state !== "local") return mark;
    const { base } = mark.holding;
    if (typeof base === "number" || base.peer !== log.peer || base.recno <= this.ownHead)
      return mark;
    const known = tree.visible.object(resolveOid(mark.oid, tree.visible));
    const renewed: ObjectMark = {
      oid: mark.oid,
      holding: { ...mark.holding, base: known?.contentVersion ?? NO_RECNO },
    };
    this.form.writeMark(path, renewed);
    return renewed;
  }

  *inodesIn(directory: string): Iterable<{ name: Name; path: string; stat: Stat }> {
    for (const bytes of readdirSync(osPath(directory), { encoding: "buffer" })) {
      const name = bytesToText(bytes) as Name;
      const path = `${directory}/${name}`;
      const stat = this.form.stat(path);
      if (stat !== undefined) yield { name, path, stat };
    }
  }
}

/** Tells whether the index knows of an object, be it that it was removed. */
export function isKnown(oid: Oid, visible: CacheTree["visible"]): boolean {
  return visible.object(oid) !== undefined || visible.tombstone(oid) !== undefined;
}

/** Tells whether a file is as its last record says: every write since would show in its time. */
export function isLogged(stat: Stat, object: Pick<TreeObject, "sizeBytes" | "mtimeNs">): boolean {
  return stat.size === object.sizeBytes && stat.mtimeNs === object.mtimeNs;
}
