import { compilePattern } from "@izo/core";
import { type Operation, recordPaths } from "@izo/core";

/**
 * Tells whether a pattern, as `.gitignore` has them, matches a path that an operation names, or a directory
 * above it.
 *
 * @throws InvalidPatternError
 */
export function pathMatcher(pattern: string): (operation: Operation) => boolean {
  const matches = compilePattern(pattern);
  return (operation) => {
    const isDirectory = operation.opcode === "MKDIR" || operation.opcode === "RMDIR";
    return recordPaths(operation).some((path) => {
      if (matches(path, isDirectory)) return true;
      for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
        if (matches(path.slice(0, end), true)) return true;
      }
      return false;
    });
  };
}
