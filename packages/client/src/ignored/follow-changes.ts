/**
 * What becomes of ignored entries when the tree around them changes by records of others (rules K53, K55):
 * an entry gives way to a name that the log has now, those of a merged directory go to the one that is
 * left, and those of a removed one stay on disk, under the id that brings them back with it.
 *
 * Called after the cache shows a change, and at the start for all: a crash in between costs nothing.
 */
import {
  type ChangeSet,
  conflictName,
  IzoError,
  lastPath,
  type Name,
  type Oid,
  resolveOid,
} from "@izo/core";

import type { KernelNotifier } from "../cache/notify/kernel-notifier.ts";
import type { CacheTree, ProblemReporter } from "../cache/tree/cache-tree.ts";
import { IgnoredNames } from "./ignored-names.ts";
import type { IgnoredTree } from "./ignored-tree.ts";

/** Ignored entries of a directory that is not there any more. */
export interface LeftBehind {
  /** Where the directory was, as far as that is known. */
  readonly path: string;
  /** Where they are on disk. */
  readonly keptAs: string;
}

export interface IgnoredFollowerOptions {
  readonly tree: CacheTree;
  readonly ignored: IgnoredTree;
  readonly notifier: KernelNotifier;
  readonly hostName: string;
  readonly nowNs: () => bigint;
  readonly onProblem: ProblemReporter;
}

export class IgnoredFollower {
  readonly #options: IgnoredFollowerOptions;
  readonly #names: IgnoredNames;

  constructor(options: IgnoredFollowerOptions) {
    this.#options = options;
    this.#names = new IgnoredNames(options.ignored, options.nowNs);
  }

  /** Looks at everything that is ignored. */
  start(): void {
    const { ignored } = this.#options;
    for (const parent of ignored.parents()) {
      // What is left behind was said when it was, and the status goes on saying so.
      this.#mergeIfAlias(parent);
      for (const name of ignored.namesIn(parent)) this.#giveWay(parent, name);
    }
  }

  follow({ names, objects }: ChangeSet): void {
    if (this.#options.ignored.isEmpty) return;
    const gone = names.flatMap(({ before }) => before?.oid ?? []);
    for (const oid of new Set([...objects.map((object) => object.oid), ...gone]))
      this.#followDirectory(oid);
    for (const { parent, name } of names) this.#giveWay(parent, name);
  }

  leftBehind(): LeftBehind[] {
    const { ignored, tree } = this.#options;
    const { visible } = tree;
    return ignored
      .parents()
      .filter((oid) => visible.object(oid) === undefined && ignored.namesIn(oid).length > 0)
      .map((oid) => ({ path: lastPath(visible, oid), keptAs: ignored.pathOf(oid) }));
  }

  #followDirectory(oid: Oid): void {
    const { ignored, tree, onProblem } = this.#options;
    if (!ignored.has(oid)) return;
    const { visible } = tree;
    if (!this.#mergeIfAlias(oid) && visible.object(oid) === undefined)
      onProblem(lastPath(visible, oid), new LeftBehindError(ignored.pathOf(oid)));
  }

  #mergeIfAlias(oid: Oid): boolean {
    const now = resolveOid(oid, this.#options.tree.visible);
    if (now !== oid) this.#merge(oid, now);
    return now !== oid;
  }

  /** Two directories have become one. */
  #merge(from: Oid, to: Oid): void {
    const { ignored } = this.#options;
    const directory = ignored.within(from);
    if (directory === undefined) return;
    if (!ignored.has(to)) {
      ignored.rekey(ignored.nodes.root, from as string as Name, to);
    } else {
      const target = ignored.make(to);
      for (const name of ignored.namesIn(from)) {
        const isTaken = ignored.child(target, name) !== undefined;
        this.#names.rename(directory, name, target, isTaken ? this.#copyName(to, name) : name);
      }
    }
    for (const name of ignored.namesIn(to)) this.#giveWay(to, name);
    for (const name of ignored.namesIn(to)) this.#notify(to, name);
  }

  /** What the log has is not ignored, and what is ignored is not lost for that. */
  #giveWay(parent: Oid, name: Name): void {
    const { tree, ignored, onProblem } = this.#options;
    const { visible } = tree;
    const directory = ignored.within(parent);
    const entry = directory && visible.entry(parent, name);
    if (directory === undefined || entry === undefined) return;
    const standing = ignored.child(directory, name);
    if (standing === undefined) return;
    const isDirectory = visible.object(entry.oid)?.kind === "directory";
    const isEmpty = !visible.hasChildren(entry.oid) && !ignored.has(entry.oid);
    if (standing.kind === "directory" && isDirectory && isEmpty) {
      // Nothing in it can be in the way: it goes on in the directory that others have, too.
      ignored.rekey(directory, name, entry.oid);
    } else {
      const copy = this.#copyName(parent, name);
      this.#names.rename(directory, name, directory, copy);
      this.#notify(parent, copy);
      onProblem(`${lastPath(visible, parent)}/${name}`.replace("//", "/"), new GaveWayError(copy));
    }
    this.#notify(parent, name);
  }

  #copyName(parent: Oid, name: Name): Name {
    const { ignored, tree, nowNs, hostName } = this.#options;
    const directory = ignored.make(parent);
    return conflictName(
      name,
      nowNs(),
      hostName,
      (other) =>
        tree.visible.entry(parent, other) !== undefined ||
        ignored.child(directory, other) !== undefined,
    );
  }

  #notify(parent: Oid, name: Name): void {
    const node = this.#options.tree.nodes.ofObject(parent);
    if (node !== undefined) this.#options.notifier.invalidateEntry(node.id, name);
  }
}

class LeftBehindError extends IzoError {
  constructor(keptAs: string) {
    super(
      "ignored-left-behind",
      `Cannot show what is ignored there: its directory was removed, and it is kept as "${keptAs}"`,
      { keptAs },
    );
  }
}

class GaveWayError extends IzoError {
  constructor(copy: Name) {
    super(
      "ignored-gave-way",
      `Cannot keep what is ignored there under its name: the log has that name now, and it is kept beside it as ${JSON.stringify(copy)}`,
      { copy },
    );
  }
}
