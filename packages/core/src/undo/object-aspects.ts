/** What an object consists of, as far as records can change one part of it and leave the others. */
import type { Recno } from "../kml/identity.ts";
import type { TreeObject } from "../replay/tree-object.ts";
import type { Spell } from "./journal.ts";
import { walkBack } from "./walk-back.ts";

export function contentKey(object: TreeObject | undefined): unknown {
  return object?.contentVersion;
}

export function timesKey(object: TreeObject | undefined): unknown {
  return object?.mtimeNs;
}

export function attributesKey(object: TreeObject | undefined): unknown {
  return object?.attributesVersion;
}

/** An attribute's version, where it was given with a new content too: undefined where there is none. */
export function attributeKey(object: TreeObject | undefined, name: string): unknown {
  return object?.xattrs.get(name)?.version;
}

export function attributeNames(spells: readonly Spell<TreeObject>[]): Set<string> {
  return new Set(spells.flatMap(({ value }) => [...(value?.xattrs.keys() ?? [])]));
}

/** The last value of a removed object, without what selected records had changed in it before. */
export function asItWas(
  spells: readonly Spell<TreeObject>[],
  isSelected: (recno: Recno) => boolean,
): TreeObject {
  const present = spells.filter(({ value }) => value !== undefined);
  const last = present.at(-1)!.value!;
  let object = last;
  const content = walkBack(present, contentKey, isSelected);
  if (content.kind === "undone" && content.value !== undefined) {
    const { sizeBytes, mtimeNs, sha256 } = content.value;
    object = { ...object, sizeBytes, mtimeNs, sha256 };
  } else {
    const times = walkBack(present, timesKey, isSelected);
    if (times.kind === "undone" && times.value !== undefined) {
      object = { ...object, mtimeNs: times.value.mtimeNs };
    }
  }
  const attributes = walkBack(present, attributesKey, isSelected);
  if (attributes.kind === "undone" && attributes.value !== undefined) {
    const { mode, uid, gid } = attributes.value;
    object = { ...object, mode, uid, gid };
  }
  const xattrs = new Map(last.xattrs);
  for (const name of attributeNames(present)) {
    const walked = walkBack(present, (value) => attributeKey(value, name), isSelected);
    if (walked.kind !== "undone") continue;
    const was = walked.value?.xattrs.get(name);
    if (was === undefined) xattrs.delete(name);
    else xattrs.set(name, was);
  }
  return { ...object, xattrs };
}
