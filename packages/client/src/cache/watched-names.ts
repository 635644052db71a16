import type { ChangeSet, Entry, NameChange } from "@izo/core";

import type { WatchedChange } from "../fuse/watched-change.ts";
import type { CacheNode } from "./cache-node.ts";
import type { CacheTree } from "./cache-tree.ts";
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
    if (former === undefined) this.#changes.push({ ...at, kind: "made" });
    else if (wanted === undefined) {
      const isDirectory = (node?.kind ?? this.#kindOf(former)) === "directory";
      const isLast = visible.object(former.oid) === undefined;
      this.#changes.push({
        ...at,
        kind: "removed",
        isDirectory,
        node: isLast ? node?.id : undefined,
      });
    } else {
      const isFile = node?.kind === "file" && visible.object(wanted.oid)?.kind === "file";
      this.#changes.push(
        isFile ? { ...at, kind: "replaced", before: node.id } : { ...at, kind: "made" },
      );
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
    for (const change of this.#changes) notifier.tellWatchers?.(change);
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
