import type { Name } from "../kml/name.ts";
import { ASIDE_DIRECTORY } from "./aside.ts";
import { parseConflictName } from "./conflict-name.ts";
import type { StandingConflict } from "./standing-conflict.ts";

/** Where a conflict copy would stand if nothing were in its way. */
export function originalPathOf(copyPath: string): string {
  const aside = `/${ASIDE_DIRECTORY}/`;
  const path = copyPath.startsWith(aside) ? copyPath.slice(aside.length - 1) : copyPath;
  const slash = path.lastIndexOf("/");
  const { originalName } = parseConflictName(path.slice(slash + 1) as Name)!;
  return `${path.slice(0, slash)}/${originalName}`;
}

/**
 * Where a copy stands for good when both sides are kept: under a name of its own, beside what it conflicts
 * with, also where the copy was put aside.
 */
export function keptPathOf({ copy, original }: StandingConflict): string {
  const beside = original?.path ?? originalPathOf(copy.path);
  const name = copy.path.slice(copy.path.lastIndexOf("/") + 1) as Name;
  return `${beside.slice(0, beside.lastIndexOf("/"))}/${parseConflictName(name)!.keptName}`;
}
