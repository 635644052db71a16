import { type FileSystem, type NodeId, rootNode } from "../file-system.ts";
import { furtherNumber, MOST_FURTHER, nodeOf } from "./node-number.ts";

const NONE: readonly number[] = [];

/**
 * The nodes that the kernel knows, and how often it was told of each: it gives all of that back with
 * FORGET. The file system sees one reference per number, however often the kernel looks it up.
 */
export class KnownNodes {
  readonly #fileSystem: FileSystem;
  /** By number. */
  readonly #lookups = new Map<number, number>();
  /** Of directories that are known under other numbers than their own: those. */
  readonly #further = new Map<NodeId, readonly number[]>();

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  /**
   * Takes over a reference that the file system gave, for an answer that tells the kernel of the node.
   *
   * @param number the node's own, or another of `furtherNumber()`
   */
  told(number: number): void {
    if (number === rootNode) return;
    const node = nodeOf(number);
    const lookups = this.#lookups.get(number);
    if (lookups !== undefined) this.#fileSystem.forget(node);
    else if (number !== node) this.#further.set(node, [...this.furtherOf(node), number]);
    this.#lookups.set(number, (lookups ?? 0) + 1);
  }

  /** Tells the kernel once more of a node that it knows. */
  toldAgain(node: NodeId): void {
    const lookups = this.#lookups.get(node);
    if (lookups !== undefined) this.#lookups.set(node, lookups + 1);
  }

  /** Whether the kernel may believe anything of a node, or of what is in it. */
  has(node: NodeId): boolean {
    return node === rootNode || this.#lookups.has(node) || this.#further.has(node);
  }

  /** Whether the kernel knows any node under another number than its own. */
  get hasFurther(): boolean {
    return this.#further.size > 0;
  }

  /** The numbers besides its own under which the kernel knows a node. */
  furtherOf(node: NodeId): readonly number[] {
    return this.#further.get(node) ?? NONE;
  }

  /** All numbers under which the kernel knows a node, but for one of them. */
  othersOf(number: number): readonly number[] {
    if (!this.hasFurther) return NONE;
    const node = nodeOf(number);
    const further = this.furtherOf(node);
    if (further.length === 0) return NONE;
    return [node, ...further].filter((other) => other !== number);
  }

  /** A number besides its own under which the kernel does not know a node; undefined where it has all of them. */
  spareNumber(node: NodeId): number | undefined {
    for (let index = 1; index <= MOST_FURTHER; index += 1) {
      const number = furtherNumber(node, index);
      if (!this.#lookups.has(number)) return number;
    }
    return undefined;
  }

  /**
   * The kernel forgets that it was told so many times.
   *
   * @returns whether it does not know that number any more
   */
  forget(number: number, lookups: number): boolean {
    const known = this.#lookups.get(number);
    if (known === undefined) return false;
    if (known > lookups) {
      this.#lookups.set(number, known - lookups);
      return false;
    }
    this.#lookups.delete(number);
    const node = nodeOf(number);
    if (number !== node) {
      const left = this.furtherOf(node).filter((further) => further !== number);
      if (left.length > 0) this.#further.set(node, left);
      else this.#further.delete(node);
    }
    this.#fileSystem.forget(node);
    return true;
  }

  /** The connection has ended: no FORGET will come. */
  forgetAll(): void {
    for (const number of this.#lookups.keys()) this.#fileSystem.forget(nodeOf(number));
    this.#lookups.clear();
    this.#further.clear();
  }
}
