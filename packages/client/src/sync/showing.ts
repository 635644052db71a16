import type { ChangeSet } from "@izo/core";

import type { CacheExecutor } from "./cache-executor.ts";
import type { ContentWishes } from "./prefetch/content-wishes.ts";
import { ChangeQueue } from "./replica/change-queue.ts";
import type { Troubles } from "./troubles.ts";

export interface ShowingOptions {
  readonly cache: CacheExecutor;
  readonly wishes: ContentWishes;
  readonly troubles: Troubles;
  /** Names of the tree have changed. */
  readonly onNamesChanged: () => void;
  /** Shown, or as much of it as can be. */
  readonly onShown: () => void;
}

/**
 * Has the cache show what changed in the visible tree, in order. What it cannot take now waits, and is
 * tried again before anything else is done.
 */
export class Showing {
  readonly #options: ShowingOptions;
  readonly #waiting: ChangeQueue;

  constructor(options: ShowingOptions) {
    this.#options = options;
    this.#waiting = new ChangeQueue((changes) => options.cache.apply(changes));
  }

  /** All that has arrived is shown. */
  get isUpToDate(): boolean {
    return this.#waiting.isEmpty;
  }

  /** Shows a change, and wants the contents that come with it. */
  show(changes: ChangeSet): void {
    const { wishes, troubles, onNamesChanged, onShown } = this.#options;
    if (changes.names.length > 0) onNamesChanged();
    this.#waiting.add(changes);
    try {
      this.showWaiting();
    } catch (error) {
      // The tree itself has arrived: only its showing is tried again, before anything else is done.
      troubles.noteInStep(error);
    }
    wishes.wantChanged(changes);
    onShown();
  }

  /** Hardly any sealing changes more than the file that it is about. */
  showSealed(changes: ChangeSet): void {
    const { names, objects, moves } = changes;
    if (names.length + objects.length + moves.length === 0) return;
    this.show(changes);
    this.#options.wishes.fetch();
  }

  /** Shows what could not be shown before. @throws what the cache throws */
  showWaiting(): void {
    if (this.#waiting.isEmpty) return;
    this.#waiting.showAll();
    this.endTroubles();
    this.#options.onShown();
  }

  /** What is about the cache is over when all that arrived is shown. */
  endTroubles(): void {
    if (this.isUpToDate) this.#options.troubles.endInSteps();
  }
}
