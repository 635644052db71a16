import type { ChangeSet, Entry, NameChange, Oid } from "@izo/core";

import type { WatchedChange } from "../../fuse/watched-change.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import type { CacheTree } from "../tree/cache-tree.ts";
import { namesOf } from "./invalidate-names.ts";
import type { KernelNotifier } from "./kernel-notifier.ts";

/** What a name led to: an inode, where its directory has been listed, else an entry that nobody has looked at. */
type Former = CacheNode | Entry | undefined;

/**
 * Collects what somebody who watches has to be told of one change set, and tells it when the kernel has been told
 * that what it knows is out of date. Names that lead where they led are nothing new, as those of own operations.
 */
export class WatchedNames {
  readonly #tree: CacheTree;
  readonly #objects: ChangeSet["objects"];
  readonly #changes: WatchedChange[] = [];
  /** Names that lead to nothing any more, by the object that they led to, which is still there. */
  readonly #left = new Map<Oid, WatchedChange & { kind: "removed" }>();
  /** Likewise, of which the object is gone: the inode. */
  readonly #gone = new Map<WatchedChange & { kind: "removed" }, CacheNode>();
  /** Of what leads to something else: to which object. */
  readonly #came = new Map<WatchedChange & { kind: "made" | "replaced" }, Oid>();

  constructor(tree: CacheTree, objects: ChangeSet["objects"]) {
    this.#tree = tree;
    this.#objects = objects;
  }

  /** A name shows something else, or will. */
  note({ name }: NameChange, directory: CacheNode, former: Former): void {
    const { visible } = this.#tree;
    const wanted = visible.entry(directory.oid, name);
    if (former?.oid === wanted?.oid) return;
    const at = { parent: directory.id, name };
    const node = former !== undefined && "links" in former ? former : undefined;
    if (wanted !== undefined) {
      const isFile = node?.kind === "file" && visible.object(wanted.oid)?.kind === "file";
      const change = isFile
        ? ({ ...at, kind: "replaced", before: node.id } as const)
        : ({ ...at, kind: "made" } as const);
      this.#came.set(change, wanted.oid);
      this.#changes.push(change);
    } else if (former !== undefined) {
      const isDirectory = (node?.kind ?? this.#kindOf(former)) === "directory";
      const change = { ...at, kind: "removed", isDirectory, node: undefined } as const;
      if (visible.object(former.oid) !== undefined) this.#left.set(former.oid, change);
      else if (node !== undefined) this.#gone.set(change, node);
      this.#changes.push(change);
    }
  }

  /** Under its names, an inode has another content, or other attributes. */
  noteChanged(node: CacheNode, kind: "written" | "attributes"): void {
    for (const at of namesOf(node)) this.#changes.push({ ...at, kind });
  }

  /** The names of `before` have gone over to another inode. */
  noteReplaced(before: CacheNode, node: CacheNode): void {
    this.#changes.push(...replacedNames(before, node));
  }

  tell(notifier: KernelNotifier): void {
    const moves = this.#moves();
    for (const change of this.#changes) {
      const told = moves.get(change) ?? change;
      if (told !== "left") notifier.tellWatchers?.(this.#withGone(told));
    }
  }

  /**
   * What waits in limbo may come back, as the same inode, when an edit brings its object back. A directory that
   * the kernel was once told is gone is dead to it for as long as it knows it.
   */
  #withGone(change: WatchedChange): WatchedChange {
    const node = change.kind === "removed" ? this.#gone.get(change) : undefined;
    if (change.kind !== "removed" || node === undefined || node.links.length > 0) return change;
    return { ...change, node: node.id };
  }

  /** What came under one name and left another has moved; the change that it left is told with the one that it came. */
  #moves(): ReadonlyMap<WatchedChange, WatchedChange | "left"> {
    const moves = new Map<WatchedChange, WatchedChange | "left">();
    for (const [change, oid] of this.#came) {
      const left = this.#left.get(oid);
      if (left === undefined) continue;
      this.#left.delete(oid);
      const { parent, name } = change;
      const before = change.kind === "replaced" ? change.before : undefined;
      const from = { parent: left.parent, name: left.name };
      moves.set(left, "left").set(change, { parent, name, kind: "moved", from, before });
    }
    return moves;
  }

  /** Of an entry that nobody has looked at. */
  #kindOf({ oid }: { readonly oid: Entry["oid"] }): string | undefined {
    const there = this.#tree.visible.object(oid);
    return (there ?? this.#objects.find((object) => object.oid === oid)?.before)?.kind;
  }
}

/** The names of an inode have gone over to another one. */
export function replacedNames({ id }: CacheNode, node: CacheNode): WatchedChange[] {
  return namesOf(node).map((at) => ({ ...at, kind: "replaced", before: id }));
}
