import type { ObjectKind } from "@izo/core";

const KINDS = { file: "-", directory: "d", symlink: "l" } as const;
const S_IFMT = 0o170_000;
/** Types of special files (inode(7)). */
const SPECIAL = new Map([
  [0o010_000, "p"],
  [0o020_000, "c"],
  [0o060_000, "b"],
  [0o140_000, "s"],
]);

/**
 * Kind and permissions as `ls -l` shows them.
 *
 * @example formatMode({ kind: "directory", mode: 0o1755 }) // "drwxr-xr-t"
 */
export function formatMode({ kind, mode }: { kind: ObjectKind; mode: number }): string {
  const first = kind === "special" ? (SPECIAL.get(mode & S_IFMT) ?? "?") : KINDS[kind];
  const bits = [6, 3, 0].map((shift) => {
    const three = (mode >> shift) & 7;
    return `${three & 4 ? "r" : "-"}${three & 2 ? "w" : "-"}${three & 1 ? "x" : "-"}`;
  });
  const marks = [
    [0o4000, 0, "s"],
    [0o2000, 1, "s"],
    [0o1000, 2, "t"],
  ] as const;
  for (const [bit, place, letter] of marks) {
    if ((mode & bit) === 0) continue;
    const mark = bits[place]!.endsWith("x") ? letter : letter.toUpperCase();
    bits[place] = bits[place]!.slice(0, 2) + mark;
  }
  return first + bits.join("");
}
