import { type FileSystem, type NodeId, rootNode } from "../file-system.ts";

/**
 * The nodes that the kernel knows, and how often it was told of each: it gives all of that back with
 * FORGET. The file system sees one reference per node, however often the kernel looks it up.
 */
export class KnownNodes {
  readonly #fileSystem: FileSystem;
  readonly #lookups = new Map<NodeId, number>();

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  /** Takes over a reference that the file system gave, for an answer that tells the kernel of the node. */
  told(node: NodeId): void {
    if (node === rootNode) return;
    const lookups = this.#lookups.get(node);
    if (lookups !== undefined) this.#fileSystem.forget(node);
    this.#lookups.set(node, (lookups ?? 0) + 1);
  }

  /** Whether the kernel may believe anything of a node, or of what is in it. */
  has(node: NodeId): boolean {
    return node === rootNode || this.#lookups.has(node);
  }

  /** The kernel forgets that it was told so many times. */
  forget(node: NodeId, lookups: number): void {
    const known = this.#lookups.get(node);
    if (known === undefined) return;
    if (known > lookups) {
      this.#lookups.set(node, known - lookups);
      return;
    }
    this.#lookups.delete(node);
    this.#fileSystem.forget(node);
  }

  /** The connection has ended: no FORGET will come. */
  forgetAll(): void {
    for (const node of this.#lookups.keys()) this.#fileSystem.forget(node);
    this.#lookups.clear();
  }
}
