import { ROOT_OID, type Oid } from "../kml/identity.ts";
import type { MemoryState } from "../replay/memory-state.ts";
import { pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import type { TreeObject } from "../replay/tree-object.ts";

/** What of an object's attributes differs; an extended attribute by its name. */
export type DifferingAttribute = "mode" | "owner" | "mtime" | `xattr ${string}`;

/** How one path of a tree differs from another tree. */
export interface TreeDifference {
  readonly change: "added" | "removed" | "modified" | "renamed";
  /** In the later tree; of what was removed, in the earlier one. */
  readonly path: string;
  /** Where it was, of what was renamed; else null. */
  readonly from: string | null;
  /** Null where it was not there. */
  readonly before: TreeObject | null;
  /** Null where it is not there any more. */
  readonly after: TreeObject | null;
  readonly isContentChanged: boolean;
  readonly attributes: readonly DifferingAttribute[];
}

/**
 * The differences of two trees, by the objects that both know: what was moved is renamed, whatever it
 * holds, and what a moved directory holds is not named again. What another object has taken the path of is
 * modified. In the order of the paths.
 *
 * @param before and `after` have to be whole as far as they differ, with the directories above
 */
export function diffTrees(before: MemoryState, after: MemoryState): TreeDifference[] {
  const found: TreeDifference[] = [];
  const oids = new Set([...before.objects(), ...after.objects()].map(({ oid }) => oid));
  const removed = new Map<string, TreeDifference>();
  const added = new Map<string, TreeDifference>();
  for (const oid of oids) {
    for (const difference of differencesOf(oid, before, after)) {
      if (difference.change === "removed") removed.set(difference.path, difference);
      else if (difference.change === "added") added.set(difference.path, difference);
      else found.push(difference);
    }
  }
  for (const [path, { after: made, ...difference }] of added) {
    const gone = removed.get(path)?.before;
    if (gone?.kind === made!.kind) {
      removed.delete(path);
      found.push({ ...compare(gone, made), change: "modified", path, from: null });
    } else found.push({ ...difference, after: made });
  }
  found.push(...removed.values());
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function differencesOf(oid: Oid, before: StateReader, after: StateReader): TreeDifference[] {
  const [was, is] = [before.object(oid) ?? null, after.object(oid) ?? null];
  const compared = compare(was, is);
  const isModified = compared.isContentChanged || compared.attributes.length > 0;
  if (oid === ROOT_OID) {
    return isModified ? [{ ...compared, change: "modified", path: "/", from: null }] : [];
  }
  const old = namesOf(oid, before);
  const now = namesOf(oid, after);
  const kept = [...now].filter(([key]) => old.has(key)).map(([, path]) => path);
  const gone = [...old].filter(([key]) => !now.has(key)).map(([, path]) => path);
  const come = [...now].filter(([key]) => !old.has(key)).map(([, path]) => path);
  const moves = Math.min(gone.length, come.length);
  return [
    // Of an object with several names the change is told once.
    ...(isModified ? kept.slice(0, 1) : []).map((path) => ({
      ...compared,
      change: "modified" as const,
      path,
      from: null,
    })),
    ...come.map((path, index) =>
      index < moves
        ? { ...compared, change: "renamed" as const, path, from: gone[index]! }
        : { ...compare(null, is), change: "added" as const, path, from: null },
    ),
    ...gone.slice(moves).map((path) => ({
      ...compare(was, null),
      change: "removed" as const,
      path,
      from: null,
    })),
  ];
}

/** The names of an object by parent and name, which stay where a directory above is moved; and their paths. */
function namesOf(oid: Oid, state: StateReader): Map<string, string> {
  return new Map(
    state.links(oid).map(({ parent, name }) => [`${parent}/${name}`, pathOf(state, parent, name)]),
  );
}

type Compared = Pick<TreeDifference, "before" | "after" | "isContentChanged" | "attributes">;

function compare(before: TreeObject | null, after: TreeObject | null): Compared {
  if (before === null || after === null) {
    return { before, after, isContentChanged: false, attributes: [] };
  }
  const isContentChanged =
    before.sha256 !== after.sha256 || before.target !== after.target || before.rdev !== after.rdev;
  const attributes: DifferingAttribute[] = [];
  if (before.mode !== after.mode) attributes.push("mode");
  if (before.uid !== after.uid || before.gid !== after.gid) attributes.push("owner");
  if (!isContentChanged && before.mtimeNs !== after.mtimeNs) attributes.push("mtime");
  for (const name of new Set([...before.xattrs.keys(), ...after.xattrs.keys()])) {
    const [was, is] = [before.xattrs.get(name)?.value, after.xattrs.get(name)?.value];
    if (was?.join() !== is?.join()) attributes.push(`xattr ${name}`);
  }
  return { before, after, isContentChanged, attributes };
}
