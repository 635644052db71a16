import { compilePattern, patternSource } from "./path-pattern.ts";

/** Tells whether one of several patterns means just an entry: one expression for names, one for paths. */
class EntryTest {
  readonly #names: RegExp | undefined;
  readonly #paths: RegExp | undefined;

  constructor(patterns: readonly string[]) {
    const sources = patterns.map(patternSource);
    this.#names = oneOf(sources.flatMap(({ name }) => name ?? []));
    this.#paths = oneOf(sources.flatMap(({ name, source }) => (name === undefined ? source : [])));
  }

  matches(path: string): boolean {
    if (this.#names?.test(path.slice(path.lastIndexOf("/") + 1)) === true) return true;
    return this.#paths?.test(`${path}/`) === true;
  }
}

function oneOf(sources: readonly string[]): RegExp | undefined {
  return sources.length === 0 ? undefined : new RegExp(`^(?:${sources.join("|")})$`, "su");
}

/**
 * Which entries stay out of the fileset, by patterns of paths as `.gitignore` has them: of an exported
 * directory what a server takes up of what it finds, of a mount what is made there. An entry that is in
 * the log already is followed whatever they say (docs/decisions/0017), so that no change of the patterns
 * takes a file away from anybody.
 */
export class IgnoreRules {
  readonly patterns: readonly string[];
  readonly #entries: EntryTest;
  readonly #directories: EntryTest;
  /** What was asked last: entries come in groups, and what is below a directory goes by it. */
  #lastBelow = { path: "", isIgnored: false };
  /** Of the directories through which patterns with a path lead. */
  readonly #leads: readonly ReturnType<typeof compilePattern>[];

  /** @throws InvalidPatternError */
  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    this.#entries = new EntryTest(patterns.filter((pattern) => !pattern.endsWith("/")));
    this.#directories = new EntryTest(patterns);
    this.#leads = patterns.flatMap(leadsOf).map(compilePattern);
  }

  get isEmpty(): boolean {
    return this.patterns.length === 0;
  }

  /** Tells whether an entry that the log does not know is left out: a pattern means it, or a directory above. */
  ignores(path: string, isDirectory: boolean): boolean {
    if (this.isEmpty) return false;
    return this.matches(path, isDirectory) || this.ignoresBelow(parentOf(path));
  }

  /** Tells whether a pattern means just this entry. */
  matches(path: string, isDirectory: boolean): boolean {
    return (isDirectory ? this.#directories : this.#entries).matches(path);
  }

  /** Tells whether all that is new in a directory is left out. @param path without a slash at its end */
  ignoresBelow(path: string): boolean {
    if (this.isEmpty) return false;
    if (this.#lastBelow.path !== path)
      this.#lastBelow = { path, isIgnored: path !== "" && this.ignores(path, true) };
    return this.#lastBelow.isIgnored;
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
