/**
 * Keeps what is pinned and what hoard rules match: looks through the tree for contents that are to be
 * here and are not, and has them fetched in the background, after what programs wait for.
 *
 * What is kept is in the settings of the mount; this remembers nothing. After a pull, a move or a change
 * of the rules it looks again, in pieces between which the mount is served, and for a small share of the
 * time: a large tree is not looked through once per change.
 */
import { setTimeout as delay, setImmediate as yieldToRequests } from "node:timers/promises";

import { type Oid, resolveOid, type Sha256, type StateReader } from "@izo/core";

import type { KeepPolicy } from "../sync/prefetch/prefetcher.ts";
import { type KeepOptions, KeepRules, type KeptFile, PINNED, type Rank } from "./keep-rules.ts";

/** Programs wait meanwhile: about a millisecond. */
const FILES_AT_A_TIME = 100;

/** Changes come in rows: the tree is looked through when this time has gone since the first. */
const SETTLE_MS = 500;

/** Looking takes at most this share of the time. */
const LARGEST_SHARE = 1 / 10;

/** What is kept for one reason, and how much of it is not here yet. */
export interface KeptTally {
  readonly files: number;
  readonly bytes: number;
  readonly missingFiles: number;
  readonly missingBytes: number;
}

/** What is kept without being asked for, a file that is pinned and hoarded as pinned. */
export interface KeptStatus {
  readonly pinned: KeptTally;
  readonly hoarded: KeptTally;
}

export interface ContentKeeperOptions {
  readonly isReplica: boolean;
  readonly visible: () => StateReader;
  readonly hasContent: (oid: Oid, sha256: Sha256) => boolean;
  readonly makeRoomFor: KeepPolicy["makeRoomFor"];
  /** Takes files whose content is missing; they are fetched as soon as that is possible. */
  readonly want: (missing: readonly KeptFile[]) => void;
  readonly onError: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export class ContentKeeper implements KeepPolicy {
  readonly #options: ContentKeeperOptions;
  #kept: Pick<KeepOptions, "pins" | "hoard"> = { pins: [], hoard: [] };
  #rules: KeepRules;
  #isLookDue = false;
  #lastLookMs = 0;

  constructor(options: ContentKeeperOptions) {
    this.#options = options;
    this.#rules = this.#makeRules();
  }

  /** Keeps these from now on, and no others. */
  keep(kept: Pick<KeepOptions, "pins" | "hoard">): void {
    this.#kept = kept;
    this.#rules = this.#makeRules();
    this.noteTreeChanged();
  }

  rankOf(oid: Oid): Rank | undefined {
    return this.#rules.rankOf(oid, this.#options.visible());
  }

  makeRoomFor(bytes: number, rank: Rank): Promise<boolean> {
    return this.#options.makeRoomFor(bytes, rank);
  }

  /** Names have changed: other files may be below a pin, or under a path that is hoarded. */
  noteTreeChanged(): void {
    if (this.#rules.isEmpty || this.#isLookDue) return;
    this.#isLookDue = true;
    void this.#lookSoon();
  }

  /** Looks through the tree now, and has fetched what is missing. */
  async look(): Promise<KeptStatus> {
    const { visible, hasContent, want } = this.#options;
    const startMs = performance.now();
    // An object that has merged with another is pinned under the id that it has now.
    this.#rules = this.#makeRules();
    const tallies = { pinned: new Tally(), hoarded: new Tally() };
    const seen = new Set<Oid>();
    let missing: KeptFile[] = [];
    for (const file of this.#rules.files(visible)) {
      const { oid, sha256, sizeBytes } = file.object;
      if (seen.has(oid)) continue;
      seen.add(oid);
      const isHere = sha256 === null || hasContent(oid, sha256);
      tallies[file.rank === PINNED ? "pinned" : "hoarded"].add(sizeBytes, isHere);
      if (!isHere) missing.push(file);
      if (seen.size % FILES_AT_A_TIME !== 0) continue;
      want(missing);
      missing = [];
      // oxlint-disable-next-line no-await-in-loop -- this is the pause
      await yieldToRequests();
    }
    want(missing);
    this.#lastLookMs = performance.now() - startMs;
    return tallies;
  }

  async #lookSoon(): Promise<void> {
    const { signal, onError } = this.#options;
    try {
      const pauseMs = Math.max(SETTLE_MS, this.#lastLookMs / LARGEST_SHARE);
      await delay(pauseMs, undefined, { signal, ref: false });
      this.#isLookDue = false;
      await this.look();
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
  }

  #makeRules(): KeepRules {
    const { isReplica, visible } = this.#options;
    const pins = this.#kept.pins.map((pin) => ({ ...pin, oid: resolveOid(pin.oid, visible()) }));
    return new KeepRules({ pins, hoard: this.#kept.hoard, isReplica });
  }
}

class Tally implements KeptTally {
  files = 0;
  bytes = 0;
  missingFiles = 0;
  missingBytes = 0;

  add(bytes: number, isHere: boolean): void {
    this.files += 1;
    this.bytes += bytes;
    if (isHere) return;
    this.missingFiles += 1;
    this.missingBytes += bytes;
  }
}
