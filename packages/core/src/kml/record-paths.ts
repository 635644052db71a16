import type { Operation } from "./operation.ts";

/** The paths that an operation names, `/a/b`; a rename has two, a record about a record none. */
export function recordPaths(operation: Operation): readonly string[] {
  switch (operation.opcode) {
    case "NOOP":
    case "ALIAS":
    case "TRUNCATED":
    case "SEALED":
    case "CANCELLED":
      return [];
    case "SENT":
      return operation.operation === null ? [] : recordPaths(operation.operation);
    case "RENAME":
      return [operation.fromPath, operation.toPath];
    default:
      return [operation.path];
  }
}

/** Tells whether an operation is about `path` or something below it. */
export function isAbout(operation: Operation, path: string): boolean {
  const below = path === "/" ? "/" : `${path}/`;
  return recordPaths(operation).some((named) => named === path || named.startsWith(below));
}

/**
 * A path as the user writes it, `src/a.ts` or `/src/a.ts/`, in the form of the records.
 *
 * @example
 * toFilesetPath("src/lib/"); // "/src/lib"
 */
export function toFilesetPath(text: string): string {
  return `/${text
    .split("/")
    .filter((name) => name !== "")
    .join("/")}`;
}
