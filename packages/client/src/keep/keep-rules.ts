/**
 * Which contents a client keeps without being asked for them: those below a pin, those that a hoard rule
 * matches, and in a replica all. Pins follow the object wherever it is moved, hoard rules follow paths;
 * both are about what comes later, too.
 */
import { compilePattern, type Oid, ROOT_OID, type StateReader, type TreeObject } from "@izo/core";

import type { HoardRule } from "./hoard-file.ts";

/** An object that is kept with all that is below it, until it is let go. */
export interface Pin {
  /** Of an object that has not merged with another since. */
  readonly oid: Oid;
  /** Where it was when it was pinned, for people. */
  readonly path: string;
}

/**
 * How much a content is wanted: what has the higher rank is fetched first and leaves the cache last.
 * A hoard rule's is its priority.
 */
export type Rank = number;

/** Never leaves the cache. */
export const PINNED: Rank = Number.POSITIVE_INFINITY;

/** Of everything in a replica. */
export const REPLICA: Rank = 0;

/** A file that is kept. */
export interface KeptFile {
  readonly object: TreeObject;
  readonly rank: Rank;
}

export interface KeepOptions {
  readonly pins: readonly Pin[];
  readonly hoard: readonly HoardRule[];
  readonly isReplica: boolean;
}

interface CompiledRule {
  readonly matches: ReturnType<typeof compilePattern>;
  readonly priority: Rank;
}

export class KeepRules {
  readonly #pinned: ReadonlySet<Oid>;
  readonly #rules: readonly CompiledRule[];
  readonly #base: Rank | undefined;

  constructor({ pins, hoard, isReplica }: KeepOptions) {
    this.#pinned = new Set(pins.map(({ oid }) => oid));
    this.#rules = hoard.map(({ pattern, priority }) => ({
      matches: compilePattern(pattern),
      priority,
    }));
    this.#base = isReplica ? REPLICA : undefined;
  }

  /** Nothing is kept but what all of a replica is. */
  get isEmpty(): boolean {
    return this.#pinned.size === 0 && this.#rules.length === 0;
  }

  /** The highest rank of an object by any of its names; undefined where nothing asks to keep it. */
  rankOf(oid: Oid, visible: StateReader): Rank | undefined {
    if (this.isEmpty) return this.#base;
    return this.#rank(oid, visible)?.rank ?? this.#base;
  }

  /**
   * All files that a pin or a hoard rule keeps, a file with several such names several times.
   *
   * @param visible asked anew for each directory
   */
  *files(visible: () => StateReader): Iterable<KeptFile> {
    if (this.#rules.length > 0) {
      yield* this.#below(ROOT_OID, "/", this.#own(ROOT_OID, "/", true), visible);
      return;
    }
    for (const oid of this.#pinned) {
      const object = visible().object(oid);
      if (object?.kind === "file") yield { object, rank: PINNED };
      else if (object?.kind === "directory") yield* this.#below(oid, "", PINNED, visible);
    }
  }

  *#below(
    directory: Oid,
    path: string,
    rank: Rank | undefined,
    visible: () => StateReader,
  ): Iterable<KeptFile> {
    // Listed at once: whoever takes the files may pause, and the tree change meanwhile.
    const entries = Array.from(visible().children(directory));
    for (const { name, oid } of entries) {
      const object = visible().object(oid);
      if (object === undefined) continue;
      const isDirectory = object.kind === "directory";
      const childPath = `${path === "/" ? "" : path}/${name}`;
      const childRank = higher(rank, this.#own(oid, childPath, isDirectory));
      if (isDirectory) yield* this.#below(oid, childPath, childRank, visible);
      else if (object.kind === "file" && childRank !== undefined) yield { object, rank: childRank };
    }
  }

  /** What pins and rules say of just this place. */
  #own(oid: Oid, path: string, isDirectory: boolean): Rank | undefined {
    if (this.#pinned.has(oid)) return PINNED;
    let rank: Rank | undefined;
    for (const { matches, priority } of this.#rules) {
      if ((rank ?? 0) < priority && matches(path, isDirectory)) rank = priority;
    }
    return rank;
  }

  /** The rank that an object has from its names and all that is above them, with one path to it. */
  #rank(
    oid: Oid,
    visible: StateReader,
  ): { readonly rank: Rank | undefined; readonly path: string } | undefined {
    if (oid === ROOT_OID) return { rank: this.#own(oid, "/", true), path: "" };
    const isDirectory = visible.object(oid)?.kind === "directory";
    let best: { rank: Rank | undefined; path: string } | undefined;
    for (const { parent, name } of visible.links(oid)) {
      const above = this.#rank(parent, visible);
      if (above === undefined) continue;
      const path = `${above.path}/${name}`;
      const rank = higher(above.rank, this.#own(oid, path, isDirectory));
      if (best === undefined || (rank ?? -1) > (best.rank ?? -1)) best = { rank, path };
    }
    return best;
  }
}

function higher(a: Rank | undefined, b: Rank | undefined): Rank | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
