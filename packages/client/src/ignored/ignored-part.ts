/** What of a mount is ignored: the inodes beside the cache tree, what becomes of them, and the names that show them. */
import { setImmediate as yieldToOthers } from "node:timers/promises";

import type { ChangeSet, IgnoreRules } from "@izo/core";

import type { KernelNotifier } from "../cache/notify/kernel-notifier.ts";
import type { CachePaths } from "../cache/tree/cache-paths.ts";
import type { ProblemReporter } from "../cache/tree/cache-tree.ts";
import type { NodeIds } from "../cache/tree/node-ids.ts";
import type { NodeTable } from "../cache/tree/node-table.ts";
import { Actors } from "../filter/actor.ts";
import type { Change } from "../filter/change-gate.ts";
import type { FilterContext } from "../filter/filter-context.ts";
import { UnseenWriters } from "../filter/unseen-writers.ts";
import type { Caller, FileSystem } from "../fuse/file-system.ts";
import { IgnoredFollower, type LeftBehind } from "./follow-changes.ts";
import { IgnoredTree } from "./ignored-tree.ts";
import { LetGo } from "./let-go.ts";
import { TakeUp } from "./take-up.ts";
import { withIgnored } from "./with-ignored.ts";

/** Entries taken up before others get a turn: some 2 ms of work. */
const TAKE_UP_AT_A_TIME = 32;

/** Who did what a crash has cut off cannot be known any more. */
const NOBODY: Caller = { uid: 0, gid: 0, pid: 0 };

/** What is ignored on a mount. */
export interface IgnoredStatus {
  readonly patterns: readonly string[];
  /** Entries of directories that are not ignored themselves; what is below them is not counted. */
  readonly entries: number;
  /** Kept for directories that are not there any more. */
  readonly leftBehind: readonly LeftBehind[];
}

export interface IgnoredPartOptions {
  readonly context: FilterContext;
  readonly paths: CachePaths;
  readonly ids: NodeIds;
  readonly notifier: KernelNotifier;
  readonly rules: IgnoreRules;
  /** Names copies of what was ignored, and is in the way. */
  readonly hostName: string;
  readonly onProblem: ProblemReporter;
}

export class IgnoredPart implements Disposable {
  readonly #options: IgnoredPartOptions;
  readonly #tree: IgnoredTree;
  readonly #follower: IgnoredFollower;
  readonly #takeUp: TakeUp;
  readonly #letGo: LetGo;
  readonly #writers = new UnseenWriters();

  /** Looks after what was ignored in directories that went while nobody looked. */
  constructor(options: IgnoredPartOptions) {
    const { context, paths, ids } = options;
    const { tree, nowNs } = context;
    this.#options = options;
    const places = { path: paths.ignored, limbo: paths.limbo, form: tree.form, ids };
    const ignored = new IgnoredTree(places);
    this.#tree = ignored;
    this.#follower = new IgnoredFollower({ ...options, nowNs, tree, ignored });
    this.#follower.start();
    this.#takeUp = new TakeUp(context, ignored);
    this.#letGo = new LetGo(tree, ignored);
  }

  /** Nothing is ignored, and nothing was: most mounts. */
  get isEmpty(): boolean {
    return this.#options.rules.isEmpty && this.#tree.isEmpty;
  }

  get nodes(): NodeTable {
    return this.#tree.nodes;
  }

  /** The visible tree has changed. */
  follow(changes: ChangeSet): void {
    this.#follower.follow(changes);
  }

  /** Finishes what a crash has cut off. */
  recover({ unlink }: Pick<FileSystem, "unlink">): void {
    this.#letGo.recover(({ parent, name }) => unlink(parent.id, name, NOBODY));
  }

  /**
   * What shows both.
   *
   * @param fileSystem of all that is not ignored
   * @param checkChange throws ErrnoError EROFS where what is not ignored may not be changed so
   */
  beside(fileSystem: FileSystem, checkChange: (change: Change) => void): FileSystem {
    const { context, rules } = this.#options;
    const { tree, stampNs, nowNs } = context;
    const actors = new Actors(() => Number(nowNs() / 1_000_000n));
    return withIgnored({
      fileSystem,
      tree,
      ignored: this.#tree,
      rules,
      stampNs,
      unseenWriters: this.#writers,
      checkChange,
      takeUp: (parent, name, caller) => this.#takeUp.one(parent, name, actors.of(caller)),
      letGo: this.#letGo,
    });
  }

  /**
   * Makes records of what `former` patterns have ignored and those of now do not. Called before anybody
   * uses the file system; ended in the middle, it is gone on with when it is called again.
   *
   * @returns how many entries that were
   */
  async takeUp(former: IgnoreRules): Promise<number> {
    let count = 0;
    for (const _ of this.#takeUp.changed(former, this.#options.rules)) {
      count += 1;
      // oxlint-disable-next-line no-await-in-loop -- this is the pause
      if (count % TAKE_UP_AT_A_TIME === 0) await yieldToOthers();
    }
    return count;
  }

  describe(): IgnoredStatus {
    const { patterns } = this.#options.rules;
    const parents = this.#tree.parents();
    const entries = parents.reduce((sum, oid) => sum + this.#tree.namesIn(oid).length, 0);
    return { patterns, entries, leftBehind: this.#follower.leftBehind() };
  }

  [Symbol.dispose](): void {
    this.#writers[Symbol.dispose]();
  }
}
