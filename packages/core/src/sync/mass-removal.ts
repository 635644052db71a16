import { allAtOnce, eachInPieces, type InPieces } from "../in-pieces.ts";
import type { PeerId, Recno } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import type { StateReader } from "../replay/state.ts";

/** A small fileset may well be emptied on purpose. */
const FROM_NAMES = 20;

/** Removals of more than so many percent of the names are held, where nobody has set another share. */
export const HELD_REMOVAL_PERCENT = 90;

/** What a removal would do to a fileset. */
export interface RemovalExtent<R> {
  /** The removals that count. */
  readonly removals: readonly R[];
  /** Names that will not be there: those of {@link removals}. */
  readonly removed: number;
  /** Names of which that is a part. */
  readonly names: number;
}

/** Who removes, and what is known of him. */
export interface RemovalAuthor {
  readonly peer: PeerId;
  /** Names that he gave behind this record are his own affair; null where there are none. */
  readonly recentAfter: Recno | null;
}

/**
 * Tells whether so many names of a fileset are removed at once that somebody has to confirm it: over 90 %,
 * which all that is in the root is, of a fileset of at least 20 (design §7). Client and server ask it, the
 * one before it sends, the other before it takes.
 *
 * @param percent another share; with 100 nothing is ever held
 */
export function isMassRemoval(
  { removed, names }: Pick<RemovalExtent<unknown>, "removed" | "names">,
  percent = HELD_REMOVAL_PERCENT,
): boolean {
  return names >= FROM_NAMES && removed * 100 > names * percent;
}

/**
 * Tells of a number of removals, whatever they are, whether they may be too many: to look at each is the
 * larger part, and as a rule it is not necessary.
 *
 * @param countNames a lower bound of the names that count
 */
export function mayBeMassRemoval(
  removals: number,
  countNames: () => number,
  percent = HELD_REMOVAL_PERCENT,
): boolean {
  if (removals < FROM_NAMES) return false;
  const names = Math.max(FROM_NAMES, countNames());
  return isMassRemoval({ removed: removals, names }, percent);
}

/**
 * How much of a fileset records would remove. Not counted, neither as removed nor as there:
 *
 * - what the state does not know: it is nobody's but the author's;
 * - what the author made itself within the last hour: who throws a build away takes nothing from others.
 *
 * Nor is a path counted as removed at which something stands again afterwards.
 *
 * @param countNames all names in the state; called only where there are removals enough
 */
export function removalExtent<R extends { readonly operation: ClientOperation }>(
  records: readonly R[],
  state: StateReader,
  author: RemovalAuthor,
  countNames: () => number,
): RemovalExtent<R> {
  return allAtOnce(removalExtentInPieces(records, state, author, countNames));
}

/** {@link removalExtent} with pauses. */
export function* removalExtentInPieces<R extends { readonly operation: ClientOperation }>(
  records: readonly R[],
  state: StateReader,
  author: RemovalAuthor,
  countNames: () => number,
): InPieces<RemovalExtent<R>> {
  let recent = 0;
  const removals: R[] = [];
  yield* eachInPieces(yield* lastingRemovals(records), (each) => {
    const { operation } = each;
    if (!isRemoval(operation)) return;
    const object = state.object(operation.oid);
    if (object === undefined) return;
    const entry =
      object.creator === author.peer && author.recentAfter !== null
        ? state.entry(operation.parent, operation.name)
        : undefined;
    const isRecent =
      entry?.oid === operation.oid &&
      typeof entry.version === "number" &&
      entry.version > author.recentAfter!;
    if (isRecent) recent += 1;
    else removals.push(each);
  });
  const removed = removals.length;
  return { removals, removed, names: removed < FROM_NAMES ? removed : countNames() - recent };
}

type Removal = Extract<ClientOperation, { opcode: "UNLINK" | "RMDIR" }>;

/** Tells whether an operation takes a name away. */
export function isRemoval(operation: ClientOperation): operation is Removal {
  return operation.opcode === "UNLINK" || operation.opcode === "RMDIR";
}

/**
 * The removals among records after which their path stays empty: who deletes a tree and builds it again
 * removes nothing.
 */
function* lastingRemovals<R extends { readonly operation: ClientOperation }>(
  records: readonly R[],
): InPieces<R[]> {
  /** Where among the records something was put there last. */
  const filled = new Map<string, number>();
  let at = 0;
  yield* eachInPieces(records, ({ operation }) => {
    const path = filledPath(operation);
    if (path !== undefined) filled.set(path, at);
    at += 1;
  });
  const lasting: R[] = [];
  at = 0;
  yield* eachInPieces(records, (each) => {
    const { operation } = each;
    const isLasting =
      isRemoval(operation) && at > (filled.get(operation.path) ?? Number.NEGATIVE_INFINITY);
    if (isLasting) lasting.push(each);
    at += 1;
  });
  return lasting;
}

/** The path at which something stands after an operation and may not have before; undefined for none. */
export function filledPath(operation: ClientOperation): string | undefined {
  if (operation.opcode === "RENAME") return operation.toPath;
  return "conflict" in operation && "name" in operation ? operation.path : undefined;
}
