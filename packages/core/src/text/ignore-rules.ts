import { compilePattern, patternSource } from "./path-pattern.ts";

/**
 * Which entries stay out of the fileset, by patterns of paths as `.gitignore` has them: of an exported
 * directory what a server takes up of what it finds, of a mount what is made there. An entry that is in
 * the log already is followed whatever they say (docs/decisions/0017), so that no change of the patterns
 * takes a file away from anybody.
 */
export class IgnoreRules {
  readonly patterns: readonly string[];
  readonly #matchers: readonly ReturnType<typeof compilePattern>[];
  /** Patterns of anything, and those of directories alone, as tests of a path or of one above it. */
  readonly #meant: RegExp;
  readonly #meantDirectory: RegExp;
  /** Of the directories through which patterns with a path lead. */
  readonly #leads: readonly ReturnType<typeof compilePattern>[];

  /** @throws InvalidPatternError */
  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    this.#matchers = patterns.map(compilePattern);
    const sources = patterns.map(patternSource);
    this.#meant = oneOf(sources.filter(({ isForDirectory }) => !isForDirectory));
    this.#meantDirectory = oneOf(sources.filter(({ isForDirectory }) => isForDirectory));
    this.#leads = patterns.flatMap(leadsOf).map(compilePattern);
  }

  get isEmpty(): boolean {
    return this.patterns.length === 0;
  }

  /** Tells whether an entry that the log does not know is left out: a pattern means it, or a directory above. */
  ignores(path: string, isDirectory: boolean): boolean {
    if (this.isEmpty) return false;
    // One test, whatever the number of patterns and directories: it is made for each entry.
    const asDirectory = `${path}/`;
    return (
      this.#meant.test(asDirectory) || this.#meantDirectory.test(isDirectory ? asDirectory : path)
    );
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

/** Matches the beginning of a path up to where one of the patterns ends, which is at a slash. */
function oneOf(patterns: readonly ReturnType<typeof patternSource>[]): RegExp {
  if (patterns.length === 0) return /(?!)/;
  return new RegExp(`^(?:${patterns.map(({ source }) => source).join("|")})`, "su");
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
