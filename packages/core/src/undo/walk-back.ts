import type { Recno } from "../kml/identity.ts";
import type { Spell } from "./journal.ts";

/** What is to become of one aspect of the tree: the content of an object, say, or what a name stands for. */
export type Walked<T> =
  /** No selected record had a part in what it is. */
  | { readonly kind: "untouched" }
  /** Selected records made it what it is; this it was before the first of them. */
  | { readonly kind: "undone"; readonly value: T | undefined; readonly first: Recno }
  /** A selected record changed it, and somebody else has changed it since. */
  | { readonly kind: "kept"; readonly by: Recno };

/**
 * Goes back over the changes of an aspect for as long as they are selected ones.
 *
 * @param keyOf what changes when the aspect does; what has the same key is no change
 */
export function walkBack<T>(
  spells: readonly Spell<T>[],
  keyOf: (value: T | undefined) => unknown,
  isSelected: (recno: Recno) => boolean,
): Walked<T> {
  const changes = spells.filter(
    ({ value }, index) => index === 0 || keyOf(value) !== keyOf(spells[index - 1]!.value),
  );
  const isUndone = ({ by }: Spell<T>): boolean => by !== null && isSelected(by);
  const last = changes.at(-1);
  if (last === undefined || !changes.some(isUndone)) return { kind: "untouched" };
  if (!isUndone(last)) return { kind: "kept", by: last.by! };
  const stands = changes.findLastIndex((change) => !isUndone(change));
  return { kind: "undone", value: changes[stands]?.value, first: changes[stands + 1]!.by! };
}
