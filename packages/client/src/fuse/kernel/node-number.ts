/**
 * The numbers under which the kernel knows nodes: a node's own, and for a directory now and then further ones
 * (`directory-numbers.ts`), which have a number from 1 on above the bits of the node's own.
 */
import type { NodeId } from "../file-system.ts";

/** So many bits are enough for 100,000 new nodes a second for five years, and leave nine for further numbers. */
const NODE_BITS = 44;

/** No node has a number as high. */
export const MOST_NODES = 2 ** NODE_BITS;

/** Those of the upper word of a number that belong to the node's own. */
export const NODE_HIGH_MASK = 2 ** (NODE_BITS - 32) - 1;

/** How many numbers a directory can have besides its own: 2^53 is as far as they can be counted. */
export const MOST_FURTHER = 2 ** (53 - NODE_BITS) - 1;

/** @param index from 1 to {@link MOST_FURTHER} */
export function furtherNumber(node: NodeId, index: number): number {
  return node + index * MOST_NODES;
}

/** The node that has a number. */
export function nodeOf(number: number): NodeId {
  return number % MOST_NODES;
}
