import { IzoError } from "../errors.ts";

/** A pattern that no path can match, or that says more than patterns can. */
export class InvalidPatternError extends IzoError {
  constructor(pattern: string, reason: string) {
    super("invalid-pattern", `Cannot use the pattern ${JSON.stringify(pattern)}: ${reason}`, {
      pattern,
      reason,
    });
  }
}

/**
 * Makes a test of paths from a pattern, as `.gitignore` has them: `*` and `?` stand for anything but a
 * slash, `**` between slashes for any directories. With a slash before its end a pattern counts from the
 * root of the fileset, without one it is a name at any depth; a slash at the end asks for a directory.
 * What it matches it matches with all that is below.
 *
 * @returns takes a path, `/a/b`, and whether it is a directory's; tells whether the pattern matches just it
 * @throws InvalidPatternError
 */
export function compilePattern(pattern: string): (path: string, isDirectory: boolean) => boolean {
  const { source, isForDirectory } = patternSource(pattern);
  const regExp = new RegExp(`^${source}$`, "su");
  return (path, isDirectory) => (isDirectory || !isForDirectory) && regExp.test(`${path}/`);
}

/**
 * The same as sources of regular expressions, for who compiles several into one: `source` of a path with a
 * slash behind it, `name` of the last name alone, where that is all that counts.
 *
 * @throws InvalidPatternError
 */
export function patternSource(pattern: string): {
  readonly source: string;
  readonly name: string | undefined;
  readonly isForDirectory: boolean;
} {
  const isForDirectory = pattern.endsWith("/");
  const body = isForDirectory ? pattern.slice(0, -1) : pattern;
  const parts = body.replace(/^\//, "").split("/");
  // The root: no other path begins like that.
  if (body === "") return { source: "//", name: undefined, isForDirectory: false };
  if (parts.includes("")) throw new InvalidPatternError(pattern, "it has an empty name");
  if (parts.includes(".") || parts.includes(".."))
    throw new InvalidPatternError(pattern, 'no name is "." or ".."');
  const isAnchored = body.includes("/");
  const names = parts.map((part) => (part === "**" ? "(?:[^/]+/)*" : `${partSource(part)}/`));
  const source = `/${isAnchored ? "" : "(?:[^/]+/)*"}${names.join("")}`;
  const isName = !isAnchored && body !== "**";
  return { source, name: isName ? partSource(body) : undefined, isForDirectory };
}

function partSource(part: string): string {
  const special = { "*": "[^/]*", "?": "[^/]" } as const;
  return Array.from(part, (character) =>
    character === "*" || character === "?"
      ? special[character]
      : character.replace(/[\\^$.+()[\]{}|]/u, "\\$&"),
  ).join("");
}
