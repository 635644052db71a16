/**
 * RENAME_EXCHANGE of renameat2(2): two names change places.
 *
 * On this machine that is one step. In the log it is three moves, by way of a name that nobody else has:
 * the first object goes there, the second takes its place, and the first takes that of the second. Others
 * see them one after the other, and each is judged alone (docs/divergences.md). They are logged in one
 * append before the step: a kill leaves all of them, and recovery does what they say, or none. Of what a
 * power cut leaves of them, recovery takes back a part (`takeBackHalfExchange`).
 */
import type { Actor, Entry, Name, Recno, RenameOperation, TreeObject } from "@izo/core";
import { AT_FDCWD, renameat2 } from "@izo/sys";

import { nameOfExchange } from "../cache/recovery/half-exchange.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import type { FilterContext } from "./filter-context.ts";
import { logUnlogged } from "./log-content.ts";

/** A name, and what it leads to. */
interface Place {
  readonly parent: CacheNode;
  readonly name: Name;
  readonly node: CacheNode;
  readonly entry: Entry;
  readonly object: TreeObject;
}

/** @throws the system's error; nothing has changed then */
export function exchangeNames(context: FilterContext, a: Place, b: Place, actor: Actor): void {
  const { tree, log } = context;
  const { nodes } = tree;
  // Two names of one file: nothing would be another.
  if (a.node === b.node) return;
  logUnlogged(context, a.node);
  logUnlogged(context, b.node);
  const recnos = log.recordTogether((first) => movesOf(context, a, b, first), actor);
  try {
    const [from, to] = [nodes.pathIn(a.parent, a.name), nodes.pathIn(b.parent, b.name)];
    renameat2(AT_FDCWD, osPath(from), AT_FDCWD, osPath(to), { exchange: true });
  } catch (error) {
    for (const recno of recnos.toReversed()) log.cancel(recno);
    throw error;
  }
  nodes.exchange(a.node, linkOf(a), b.node, linkOf(b));
}

function movesOf(context: FilterContext, a: Place, b: Place, first: Recno): RenameOperation[] {
  const spare = { parent: a.parent, name: nameOfExchange(context.newOid()) };
  const byFirst = { peer: context.log.peer, recno: first };
  return [
    moveOf(context, a, a, spare),
    moveOf(context, b, b, a),
    { ...moveOf(context, a, spare, b), fromBase: byFirst },
  ];
}

type Link = Pick<Place, "parent" | "name">;

function linkOf({ parent, name }: Place): Link {
  return { parent, name };
}

function moveOf({ tree }: FilterContext, moved: Place, from: Link, to: Link): RenameOperation {
  // A CLOSE that was just logged is what the move builds on.
  const object = tree.objectOf(moved.node) ?? moved.object;
  return {
    opcode: "RENAME",
    oid: object.oid,
    contentBase: object.contentVersion,
    fromParent: from.parent.oid,
    fromName: from.name,
    fromPath: tree.nodes.shownPathIn(from.parent, from.name),
    fromBase: moved.entry.version,
    toParent: to.parent.oid,
    toName: to.name,
    toPath: tree.nodes.shownPathIn(to.parent, to.name),
    victim: null,
    keepsOid: false,
    conflict: null,
  };
}
