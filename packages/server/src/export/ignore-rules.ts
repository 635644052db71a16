import { compilePattern } from "@izo/core";

/**
 * Which entries of the exported directory stay out of the fileset, by patterns of paths as `.gitignore`
 * has them. They decide what the server takes up of what it finds: an entry that is in the log already
 * is followed whatever they say, so that no change of the patterns takes a file away from anybody.
 */
export class IgnoreRules {
  readonly patterns: readonly string[];
  readonly #matchers: readonly ReturnType<typeof compilePattern>[];
  /** Of the directories through which patterns with a path lead. */
  readonly #leads: readonly ReturnType<typeof compilePattern>[];

  /** @throws InvalidPatternError */
  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    this.#matchers = patterns.map(compilePattern);
    this.#leads = patterns.flatMap(leadsOf).map(compilePattern);
  }

  get isEmpty(): boolean {
    return this.patterns.length === 0;
  }

  /** Tells whether an entry that the log does not know is left out: a pattern means it, or a directory above. */
  ignores(path: string, isDirectory: boolean): boolean {
    return this.matches(path, isDirectory) || this.ignoresBelow(parentOf(path));
  }

  /** Tells whether a pattern means just this entry. */
  matches(path: string, isDirectory: boolean): boolean {
    return this.#matchers.some((matches) => matches(path, isDirectory));
  }

  /** Tells whether all that is new in a directory is left out. @param path without a slash at its end */
  ignoresBelow(path: string): boolean {
    if (this.isEmpty) return false;
    for (let at = path; at !== ""; at = parentOf(at)) if (this.matches(at, true)) return true;
    return false;
  }

  /** Tells whether a pattern means something by a path that leads through this directory. */
  leadsThrough(path: string): boolean {
    return this.#leads.some((matches) => matches(path, true));
  }
}

/** Leaves nothing out. */
export const NO_RULES = new IgnoreRules([]);

/** Behind a `**` any directory may be on the way: who moves one there is not hindered. */
function leadsOf(pattern: string): string[] {
  const names = pattern.replace(/\/$/, "").replace(/^\//, "").split("/");
  const open = names.indexOf("**");
  const fixed = names.slice(0, open === -1 ? names.length - 1 : open);
  return fixed.map((_, index) => `/${fixed.slice(0, index + 1).join("/")}`);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
